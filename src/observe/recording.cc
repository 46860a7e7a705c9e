#include "observe/recording.h"

#include <fmt/format.h>
#include <zstd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "observe/log.h"
#include "platform/system_call.h"

namespace pvgpu::observe {
namespace {

constexpr char kMagic[8] = {'p', 'v', 'g', 'p', 'u', 'r', 'c', '1'};
// One event is at most a nested stream; the rest is room for mistakes to be found in.
constexpr uint64_t kMaxEvent = uint64_t{1} << 30;

struct Header {
  uint64_t kind, words[3], length;
};
static_assert(sizeof(Header) == 40);

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, CloseFile>;

Result<File> open_file(const std::string& path, const char* mode, const char* what) {
  File file(std::fopen(path.c_str(), mode));
  if (!file) return platform::system_error(fmt::format("cannot {} the recording {}", what, path), errno);
  return file;
}

class FileRecorder final : public Recorder {
 public:
  FileRecorder(std::string path, File file)
      : path_(std::move(path)), file_(std::move(file)), zstd_(ZSTD_createCCtx()), out_(ZSTD_CStreamOutSize()) {
    ZSTD_CCtx_setParameter(zstd_, ZSTD_c_compressionLevel, 6);
    ZSTD_CCtx_setParameter(zstd_, ZSTD_c_windowLog, 23);
    write(std::as_bytes(std::span(kMagic)), ZSTD_e_continue);
  }
  ~FileRecorder() override {
    write({}, ZSTD_e_end);
    ZSTD_freeCCtx(zstd_);
    if (file_) LOG_INFO("recorded {} events in {}", events_, path_);
  }

  void add(RecordedEvent::Kind kind, std::span<const uint64_t> words, std::span<const std::byte> bytes) override {
    Header header{.kind = static_cast<uint64_t>(kind), .length = bytes.size()};
    std::copy_n(words.begin(), std::min(words.size(), std::size(header.words)), header.words);
    std::lock_guard lock(mutex_);
    write(std::as_bytes(std::span(&header, 1)), ZSTD_e_continue);
    write(bytes, ZSTD_e_continue);
    ++events_;
  }
  void flush() override {
    std::lock_guard lock(mutex_);
    write({}, ZSTD_e_flush);
    if (file_) std::fflush(file_.get());
  }

 private:
  void write(std::span<const std::byte> bytes, ZSTD_EndDirective end) {
    ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
    for (size_t left = 1; file_ && (left != 0 || in.pos < in.size);) {
      ZSTD_outBuffer out{out_.data(), out_.size(), 0};
      left = ZSTD_compressStream2(zstd_, &out, &in, end);
      const bool fine = !ZSTD_isError(left) && std::fwrite(out_.data(), 1, out.pos, file_.get()) == out.pos;
      if (!fine) {
        LOG_ERROR("the recording {} ends here: {}", path_,
                  ZSTD_isError(left) ? ZSTD_getErrorName(left) : platform::error_text(errno));
        file_.reset();
      }
      if (end == ZSTD_e_continue && in.pos == in.size) return;  // what is `left` goes with later bytes
    }
  }

  const std::string path_;
  std::mutex mutex_;
  File file_;  // none after a failure
  ZSTD_CCtx* const zstd_;
  std::vector<std::byte> out_;
  uint64_t events_ = 0;
};

// The decompressed bytes of a file, piece by piece.
class Source {
 public:
  explicit Source(File file) : file_(std::move(file)), zstd_(ZSTD_createDCtx()), raw_(ZSTD_DStreamInSize()) {}
  ~Source() { ZSTD_freeDCtx(zstd_); }
  Source(const Source&) = delete;
  Source& operator=(const Source&) = delete;

  // Fills `to`; false: the file ends before, or is none of zstd's.
  bool read(std::span<std::byte> to) {
    ZSTD_outBuffer out{to.data(), to.size(), 0};
    while (out.pos < out.size) {
      if (whole_) return false;
      if (in_.pos == in_.size) in_ = {raw_.data(), std::fread(raw_.data(), 1, raw_.size(), file_.get()), 0};
      const size_t before = out.pos;
      const size_t state = ZSTD_decompressStream(zstd_, &out, &in_);
      if (ZSTD_isError(state)) return false;
      whole_ = state == 0;
      if (in_.size == 0 && out.pos == before) return false;
    }
    return true;
  }
  // Whether the frame has ended as its writer meant, once read() has failed.
  bool whole() const { return whole_; }

 private:
  File file_;
  ZSTD_DCtx* const zstd_;
  std::vector<std::byte> raw_;
  ZSTD_inBuffer in_{nullptr, 0, 0};
  bool whole_ = false;
};

}  // namespace

Result<std::unique_ptr<Recorder>> Recorder::create(const std::string& path) {
  auto file = open_file(path, "wbe", "write");
  if (!file) return std::unexpected(file.error());
  return std::make_unique<FileRecorder>(path, std::move(*file));
}

Result<Recording> read_recording(const std::string& path) {
  auto file = open_file(path, "rbe", "read");
  if (!file) return std::unexpected(file.error());
  Source source(std::move(*file));
  char magic[sizeof kMagic];
  if (!source.read(std::as_writable_bytes(std::span(magic))) || std::memcmp(magic, kMagic, sizeof magic) != 0)
    return fail(path + " is no recording of pvgpu", "pvgpu run --record FILE makes one");
  Recording recording;
  Header header;
  while (source.read(std::as_writable_bytes(std::span(&header, 1)))) {
    RecordedEvent event{.kind = static_cast<RecordedEvent::Kind>(header.kind)};
    std::ranges::copy(header.words, event.words);
    if (header.length > kMaxEvent) return fail(fmt::format("{}: an event of {} bytes", path, header.length));
    event.bytes.resize(header.length);
    if (!source.read(event.bytes)) return recording;
    recording.events.push_back(std::move(event));
  }
  recording.whole = source.whole();
  return recording;
}

}  // namespace pvgpu::observe
