// A small transformer with pseudo-random weights, run by ggml on its Vulkan backend, as programs
// for language models do it: embedding; layers of RMS norm, rotary positions, attention over a
// cache of keys and values, and SwiGLU; logits. It reads a prompt in one batch, then generates the
// likeliest token again and again. Prints the tokens, a digest of all logits, how fast it was, and
// how far the logits are from those of ggml's own arithmetic on the processor. Errors end it with a
// line that says what.
//
// usage: language_model f16|q8_0|q4_0 [fused] [large] [timed]
// "fused": attention by one operation (flash attention). "large": 850 million weights, as people use them, instead of 3 million.
// "timed": all of it 25 times over, without the processor's; the speed is the median, and the least and the most are printed, too, and
// what a token takes in each of its steps, in microseconds: "graph" is the program's own work and ggml's, "inputs" three small writes to buffers,
// "compute" until ggml says that the logits are there, "output" reading them.
#include <ggml-alloc.h>
#include <ggml-backend.h>
#include <ggml.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <span>
#include <string_view>
#include <vector>

namespace {

struct Shape {
  int vocabulary, width, layers, hidden, heads, key_heads;
  int head_width() const { return width / heads; }
  int key_width() const { return key_heads * head_width(); }
};
constexpr Shape kSmall{.vocabulary = 512, .width = 256, .layers = 4, .hidden = 704, .heads = 8, .key_heads = 4};
constexpr Shape kLarge{.vocabulary = 32000, .width = 2048, .layers = 16, .hidden = 5632, .heads = 32, .key_heads = 8};
constexpr int kContext = 128;  // Tokens that the cache has room for.
constexpr int kPrompt = 24, kGenerated = 64, kTimes = 25;
constexpr const char* kUsage = "usage: language_model f16|q8_0|q4_0 [fused] [large] [timed]";
constexpr float kEpsilon = 1e-5f;

[[noreturn]] void fail(const char* what) {
  std::fprintf(stderr, "%s\n", what);
  std::exit(1);
}

// The same numbers on every system: a 64-bit counter, mixed.
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}
  uint32_t next() {
    uint64_t z = state_ += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return static_cast<uint32_t>(z >> 32);
  }
  // Uniform, with mean 0 and the standard deviation `deviation`.
  float value(float deviation) {
    return (static_cast<float>(next() >> 8) / 8388608.0f - 1.0f) * 1.7320508f * deviation;
  }

 private:
  uint64_t state_;
};

struct Layer {
  ggml_tensor *attention_norm, *query, *key, *value, *output;
  ggml_tensor *hidden_norm, *gate, *up, *down;
  ggml_tensor *key_cache, *value_cache;
};

// The weights and the cache, on one backend. Freed when the process ends.
struct Model {
  Shape shape;
  ggml_backend_t backend;
  ggml_gallocr_t allocator;
  ggml_tensor *embedding, *norm, *logits;
  std::vector<Layer> layers;
  bool fused;
};

void set_pseudo_random(ggml_tensor* tensor, Random& random) {
  const int64_t columns = tensor->ne[0], rows = tensor->ne[1];
  const bool is_norm = tensor->type == GGML_TYPE_F32;
  std::vector<float> values(columns * rows);
  for (float& value : values) {
    value = is_norm ? 1.0f + random.value(0.1f)
                    : random.value(1.5f / std::sqrt(static_cast<float>(columns)));
  }
  std::vector<std::byte> data(ggml_nbytes(tensor));
  if (is_norm) {
    std::memcpy(data.data(), values.data(), data.size());
  } else {
    ggml_quantize_chunk(tensor->type, values.data(), data.data(), 0, rows, columns, nullptr);
  }
  ggml_backend_tensor_set(tensor, data.data(), 0, data.size());
}

Model make_model(ggml_backend_t backend, const Shape& shape, ggml_type type, bool fused) {
  ggml_context* context =
      ggml_init({.mem_size = ggml_tensor_overhead() * (11 * shape.layers + 3), .mem_buffer = nullptr, .no_alloc = true});
  std::vector<ggml_tensor*> weights;
  const auto matrix = [&](int columns, int rows) {
    return weights.emplace_back(ggml_new_tensor_2d(context, type, columns, rows));
  };
  const auto norm = [&] {
    return weights.emplace_back(ggml_new_tensor_2d(context, GGML_TYPE_F32, shape.width, 1));
  };
  const auto cache = [&] {
    return ggml_new_tensor_2d(context, GGML_TYPE_F16, shape.key_width(), kContext);
  };
  Model model{.shape = shape,
              .backend = backend,
              .allocator = ggml_gallocr_new(ggml_backend_get_default_buffer_type(backend)),
              .embedding = matrix(shape.width, shape.vocabulary),
              .norm = norm(),
              .logits = matrix(shape.width, shape.vocabulary),
              .layers = std::vector<Layer>(shape.layers),
              .fused = fused};
  for (Layer& layer : model.layers) {
    layer = {.attention_norm = norm(),
             .query = matrix(shape.width, shape.width),
             .key = matrix(shape.width, shape.key_width()),
             .value = matrix(shape.width, shape.key_width()),
             .output = matrix(shape.width, shape.width),
             .hidden_norm = norm(),
             .gate = matrix(shape.width, shape.hidden),
             .up = matrix(shape.width, shape.hidden),
             .down = matrix(shape.hidden, shape.width),
             .key_cache = cache(),
             .value_cache = cache()};
  }
  ggml_backend_buffer_t buffer = ggml_backend_alloc_ctx_tensors(context, backend);
  if (!buffer) fail("no memory for the weights");
  ggml_backend_buffer_clear(buffer, 0);
  Random random(2026);
  for (ggml_tensor* weight : weights) set_pseudo_random(weight, random);
  return model;
}

// One evaluation of the model: `count` tokens that follow `past` earlier ones.
struct Step {
  ggml_context* context;
  ggml_cgraph* graph;
  int count, past;
  ggml_tensor *tokens, *positions, *mask;
};

ggml_tensor* rotate(const Shape& shape, const Step& step, ggml_tensor* x, int heads) {
  x = ggml_reshape_3d(step.context, x, shape.head_width(), heads, step.count);
  return ggml_rope_ext(step.context, x, step.positions, nullptr, shape.head_width(), 0, 0, 10000.0f, 1.0f,
                       0.0f, 1.0f, 32.0f, 1.0f);
}

// Appends this step's rows to a cache and returns all of it, as [width of a head, tokens, heads].
ggml_tensor* remember(const Shape& shape, const Step& step, ggml_tensor* cache, ggml_tensor* rows) {
  ggml_context* c = step.context;
  ggml_tensor* place =
      ggml_view_2d(c, cache, shape.key_width(), step.count, cache->nb[1], step.past * cache->nb[1]);
  ggml_build_forward_expand(step.graph,
                            ggml_cpy(c, ggml_reshape_2d(c, rows, shape.key_width(), step.count), place));
  const size_t head = shape.head_width() * ggml_element_size(cache);
  return ggml_permute(
      c, ggml_view_3d(c, cache, shape.head_width(), shape.key_heads, kContext, head, cache->nb[1], 0), 0, 2, 1,
      3);
}

ggml_tensor* attend(const Model& model, const Step& step, const Layer& layer, ggml_tensor* x) {
  const Shape& shape = model.shape;
  ggml_context* c = step.context;
  ggml_tensor* query = rotate(shape, step, ggml_mul_mat(c, layer.query, x), shape.heads);
  ggml_tensor* keys =
      remember(shape, step, layer.key_cache, rotate(shape, step, ggml_mul_mat(c, layer.key, x), shape.key_heads));
  ggml_tensor* values = remember(shape, step, layer.value_cache, ggml_mul_mat(c, layer.value, x));
  query = ggml_permute(c, query, 0, 2, 1, 3);
  const float scale = 1.0f / std::sqrt(static_cast<float>(shape.head_width()));
  ggml_tensor* mixed;
  if (model.fused) {
    mixed = ggml_flash_attn_ext(c, query, keys, values, step.mask, scale, 0.0f, 0.0f);
  } else {
    ggml_tensor* shares =
        ggml_soft_max_ext(c, ggml_mul_mat(c, keys, query), step.mask, scale, 0.0f);
    values = ggml_cont(c, ggml_transpose(c, values));
    mixed = ggml_cont(c, ggml_permute(c, ggml_mul_mat(c, values, shares), 0, 2, 1, 3));
  }
  return ggml_mul_mat(c, layer.output, ggml_reshape_2d(c, mixed, shape.width, step.count));
}

// The logits of the step's tokens, [vocabulary, count].
ggml_tensor* build(const Model& model, const Step& step) {
  ggml_context* c = step.context;
  const auto normed = [&](ggml_tensor* x, ggml_tensor* weight) {
    return ggml_mul(c, ggml_rms_norm(c, x, kEpsilon), weight);
  };
  ggml_tensor* x = ggml_get_rows(c, model.embedding, step.tokens);
  for (const Layer& layer : model.layers) {
    x = ggml_add(c, x, attend(model, step, layer, normed(x, layer.attention_norm)));
    ggml_tensor* y = normed(x, layer.hidden_norm);
    y = ggml_swiglu_split(c, ggml_mul_mat(c, layer.gate, y), ggml_mul_mat(c, layer.up, y));
    x = ggml_add(c, x, ggml_mul_mat(c, layer.down, y));
  }
  return ggml_mul_mat(c, model.logits, normed(x, model.norm));
}

void set_inputs(const Step& step, std::span<const int32_t> tokens) {
  std::vector<int32_t> positions(step.count);
  std::vector<ggml_fp16_t> mask(static_cast<size_t>(kContext) * step.count);
  const ggml_fp16_t seen = ggml_fp32_to_fp16(0.0f),
                    hidden = ggml_fp32_to_fp16(-std::numeric_limits<float>::infinity());
  for (int row = 0; row < step.count; ++row) {
    positions[row] = step.past + row;
    for (int column = 0; column < kContext; ++column) {
      mask[static_cast<size_t>(row) * kContext + column] =
          column <= step.past + row ? seen : hidden;
    }
  }
  ggml_backend_tensor_set(step.tokens, tokens.data(), 0, tokens.size_bytes());
  ggml_backend_tensor_set(step.positions, positions.data(), 0,
                          positions.size() * sizeof positions[0]);
  ggml_backend_tensor_set(step.mask, mask.data(), 0, mask.size() * sizeof mask[0]);
}

using Clock = std::chrono::steady_clock;
constexpr std::array kSteps{"graph", "inputs", "compute", "output"};
using Times = std::array<Clock::duration, kSteps.size()>;

// Appends the logits of each of `tokens`, which follow `past` earlier ones, to `logits`, and adds what the steps took to `times`.
void evaluate(const Model& model, std::span<const int32_t> tokens, int past, std::vector<float>& logits, Times& times) {
  std::array<Clock::time_point, kSteps.size() + 1> ends{Clock::now()};
  const int count = static_cast<int>(tokens.size());
  ggml_context* c = ggml_init(
      {.mem_size = ggml_tensor_overhead() * GGML_DEFAULT_GRAPH_SIZE + ggml_graph_overhead(),
       .mem_buffer = nullptr,
       .no_alloc = true});
  const Step step{.context = c,
                  .graph = ggml_new_graph(c),
                  .count = count,
                  .past = past,
                  .tokens = ggml_new_tensor_1d(c, GGML_TYPE_I32, count),
                  .positions = ggml_new_tensor_1d(c, GGML_TYPE_I32, count),
                  .mask = ggml_new_tensor_2d(c, GGML_TYPE_F16, kContext, count)};
  for (ggml_tensor* input : {step.tokens, step.positions, step.mask}) ggml_set_input(input);
  ggml_tensor* result = build(model, step);
  ggml_set_output(result);
  ggml_build_forward_expand(step.graph, result);
  for (int i = 0; i < ggml_graph_n_nodes(step.graph); ++i) {
    if (!ggml_backend_supports_op(model.backend, ggml_graph_node(step.graph, i))) {
      fail(ggml_op_desc(ggml_graph_node(step.graph, i)));
    }
  }
  if (!ggml_gallocr_alloc_graph(model.allocator, step.graph)) fail("no memory for the graph");
  ends[1] = Clock::now();
  set_inputs(step, tokens);
  ends[2] = Clock::now();
  if (ggml_backend_graph_compute(model.backend, step.graph) != GGML_STATUS_SUCCESS)
    fail("the computation failed");
  ends[3] = Clock::now();
  const size_t values = static_cast<size_t>(model.shape.vocabulary) * count;
  logits.resize(logits.size() + values);
  ggml_backend_tensor_get(result, logits.data() + logits.size() - values, 0, sizeof(float) * values);
  ends[4] = Clock::now();
  for (size_t i = 0; i < times.size(); ++i) times[i] += ends[i + 1] - ends[i];
  ggml_free(c);
}

int32_t likeliest(const Shape& shape, std::span<const float> logits) {
  const auto last = logits.last(shape.vocabulary);
  return static_cast<int32_t>(std::ranges::max_element(last) - last.begin());
}

struct Generation {
  std::vector<int32_t> tokens;  // The prompt and what followed.
  std::vector<float> logits;    // Of all tokens but the last.
  double seconds;               // For what followed.
  Times times;                  // The steps of that.
};

Generation generate(const Model& model) {
  Generation result{};
  Random random(7);
  for (int i = 0; i < kPrompt; ++i)
    result.tokens.push_back(static_cast<int32_t>(random.next() % model.shape.vocabulary));
  Times unused{};
  evaluate(model, result.tokens, 0, result.logits, unused);
  result.tokens.push_back(likeliest(model.shape, result.logits));
  // Once before the clock runs: the backend compiles its shaders when it first needs them.
  std::vector<float> ignored;
  evaluate(model, std::span(result.tokens).last(1), kPrompt, ignored, unused);
  const auto start = Clock::now();
  for (int i = 1; i < kGenerated; ++i) {
    evaluate(model, std::span(result.tokens).last(1), static_cast<int>(result.tokens.size()) - 1,
             result.logits, result.times);
    result.tokens.push_back(likeliest(model.shape, result.logits));
  }
  result.seconds = std::chrono::duration<double>(Clock::now() - start).count();
  return result;
}

// The mean square of the difference, in shares of the expected values' own.
double error(std::span<const float> values, std::span<const float> expected) {
  double difference = 0, square = 0;
  for (size_t i = 0; i < values.size(); ++i) {
    difference += std::pow(static_cast<double>(values[i]) - expected[i], 2);
    square += std::pow(expected[i], 2);
  }
  return difference / square;
}

double median(std::vector<double> values) {
  std::ranges::nth_element(values, values.begin() + values.size() / 2);
  return values[values.size() / 2];
}

uint64_t digest(std::span<const float> values) {
  uint64_t hash = 0xcbf29ce484222325u;
  for (std::byte byte : std::as_bytes(values))
    hash = (hash ^ static_cast<uint8_t>(byte)) * 0x100000001b3u;
  return hash;
}

// What ggml's own arithmetic makes of the same tokens. `fused` is left out: it is another way to compute the same.
std::vector<float> logits_of_processor(const Model& model, std::span<const int32_t> tokens) {
  ggml_backend_t processor = ggml_backend_init_by_type(GGML_BACKEND_DEVICE_TYPE_CPU, nullptr);
  if (!processor) fail("ggml has no processor backend");
  std::vector<float> logits;
  Times unused{};
  evaluate(make_model(processor, model.shape, model.logits->type, false), tokens.first(tokens.size() - 1), 0, logits, unused);
  return logits;
}

ggml_backend_t vulkan_backend() {
  ggml_backend_reg_t backend = ggml_backend_reg_by_name("Vulkan");
  if (!backend || ggml_backend_reg_dev_count(backend) == 0)
    fail("ggml has no Vulkan device (GGML_VK_VISIBLE_DEVICES=0 takes any)");
  ggml_backend_dev_t device = ggml_backend_reg_dev_get(backend, 0);
  std::printf("device: %s\n", ggml_backend_dev_description(device));
  return ggml_backend_dev_init(device, nullptr);
}

}  // namespace

int main(int argc, char** argv) {
  constexpr std::array types{GGML_TYPE_F16, GGML_TYPE_Q8_0, GGML_TYPE_Q4_0};
  const auto type =
      std::ranges::find(types, std::string_view(argc > 1 ? argv[1] : ""), ggml_type_name);
  bool fused = false, large = false, timed = false;
  for (int i = 2; i < argc; ++i) {
    const std::string_view option = argv[i];
    (option == "large" ? large : option == "timed" ? timed : fused) = true;
    if (option != "large" && option != "timed" && option != "fused") fail(kUsage);
  }
  if (type == types.end()) fail(kUsage);
  const Shape& shape = large ? kLarge : kSmall;
  ggml_backend_load_all();
  const Model model = make_model(vulkan_backend(), shape, *type, fused);
  const Generation result = generate(model);
  std::vector<double> speeds{(kGenerated - 1) / result.seconds};
  std::array<std::vector<double>, kSteps.size()> steps;
  while (timed && speeds.size() < kTimes) {
    const Generation again = generate(model);
    speeds.push_back((kGenerated - 1) / again.seconds);
    for (size_t i = 0; i < steps.size(); ++i)
      steps[i].push_back(std::chrono::duration<double, std::micro>(again.times[i]).count() / (kGenerated - 1));
  }

  std::printf("tokens:");
  for (int32_t token : std::span(result.tokens).subspan(kPrompt)) std::printf(" %d", token);
  std::printf("\nlogits: %016llx\n", static_cast<unsigned long long>(digest(result.logits)));
  if (timed) {
    const auto [least, most] = std::ranges::minmax(speeds);
    std::printf("speed: %.1f tokens/s (%.1f - %.1f)\n", median(speeds), least, most);
    for (size_t i = 0; i < steps.size(); ++i) std::printf("%s: %.1f us\n", kSteps[i], median(steps[i]));
    return 0;
  }
  std::printf("error: %.2e\n", error(result.logits, logits_of_processor(model, result.tokens)));
  std::printf("speed: %.1f tokens/s\n", speeds.front());
}
