# NOT RUN YET on any Mac. For a tap of one's own:
#   brew tap-new me/pvgpu
#   cp packaging/homebrew/pvgpu.rb "$(brew --repository me/pvgpu)/Formula/"
#   HOMEBREW_PVGPU_SOURCE=$PWD brew install --HEAD me/pvgpu/pvgpu
class Pvgpu < Formula
  include Language::Python::Virtualenv

  desc "Vulkan GPU for Linux guests: the host side of Mesa's Venus driver"
  license "MIT"
  head "file://#{ENV.fetch("HOMEBREW_PVGPU_SOURCE", "/usr/local/src/pvgpu")}", using: :git

  depends_on "cli11" => :build
  depends_on "cmake" => :build
  depends_on "glslang" => :build
  depends_on "ninja" => :build
  depends_on "nlohmann-json" => :build
  depends_on "python@3.13" => :build
  depends_on "vulkan-headers" => :build
  depends_on arch: :arm64
  depends_on "fmt"
  depends_on "libpng"
  depends_on macos: :ventura
  depends_on "molten-vk"
  depends_on "vulkan-loader"

  def install
    # What the code generator is written with.
    python = virtualenv_create(buildpath/"python", "python3.13")
    system "python3.13", "-m", "pip", "--python=#{python.root}/bin/python", "install", "jinja2", "pyparsing"
    system "cmake", "-S", ".", "-B", "build", "-G", "Ninja", *std_cmake_args, "-DPVGPU_BUILD_TESTS=OFF",
           "-DPython3_EXECUTABLE=#{python.root}/bin/python",
           "-DPVGPU_VULKAN_REGISTRY=#{Formula["vulkan-headers"].opt_share}/vulkan/registry"
    system "cmake", "--build", "build"
    # The program looks for the others beside itself.
    bin.install "build/src/cli/pvgpu", "build/src/cli/pvgpu-describe", "build/src/cli/pvgpu-bench-client"
    system "cmake", "--install", "build", "--component", "embedding"
  end

  test do
    assert_match version.major.to_s, shell_output("#{bin}/pvgpu --version") unless head?
    output = shell_output("PVGPU_VULKAN_LOADER=/nonexistent #{bin}/pvgpu info 2>&1", 2)
    assert_match "cannot open the Vulkan loader", output
  end
end
