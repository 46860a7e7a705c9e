/*
 * Contexts without a device: what a VMM with a virtio-gpu device of its own does with pvgpu.h. The requests that a guest makes of that
 * device are played by main().
 *
 *     cc -std=c99 renderer.c $(pkg-config --cflags --libs pvgpu) -lpthread -o renderer
 *     ./renderer [VULKAN_LOADER]
 *
 * Ends with status 0 if every answer is right.
 */
#define _DEFAULT_SOURCE
#include <pthread.h>
#include <pvgpu/pvgpu.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* What the VMM's device waits for: the last fence that is signalled. */
struct timeline {
  pthread_mutex_t mutex;
  pthread_cond_t changed;
  uint64_t signalled;
  int lost;
};

static void fail(const char *what) {
  fprintf(stderr, "%s\n", what);
  exit(1);
}

static void check(int result, const char *what) {
  if (result == 0) return;
  fprintf(stderr, "%s: %s\n", what, strerror(-result));
  exit(1);
}

/* ---- the VMM's device: callbacks, on the renderer's thread ---- */

/* A real device puts the answer to the guest's request with this fence into the queue. */
static void on_fence(void *user, void *context_user, uint32_t ring_idx, uint64_t fence_id) {
  struct timeline *timeline = context_user;
  (void)user;
  (void)ring_idx;
  pthread_mutex_lock(&timeline->mutex);
  timeline->signalled = fence_id;
  pthread_cond_broadcast(&timeline->changed);
  pthread_mutex_unlock(&timeline->mutex);
}

static void on_context_lost(void *user, void *context_user) {
  struct timeline *timeline = context_user;
  (void)user;
  pthread_mutex_lock(&timeline->mutex);
  timeline->lost = 1;
  pthread_mutex_unlock(&timeline->mutex);
}

static void wait_for_fence(struct timeline *timeline, uint64_t fence_id) {
  struct timespec deadline;
  clock_gettime(CLOCK_REALTIME, &deadline);
  deadline.tv_sec += 60;
  pthread_mutex_lock(&timeline->mutex);
  while (timeline->signalled < fence_id)
    if (pthread_cond_timedwait(&timeline->changed, &timeline->mutex, &deadline) != 0) fail("no fence in 60 seconds");
  if (timeline->lost) fail("the context is lost");
  pthread_mutex_unlock(&timeline->mutex);
}

/* ---- the guest's requests ---- */

#define RESOURCE 1
#define REPLY_OFFSET 64
#define REPLY_BYTES 20
/* Commands of the Venus protocol. */
#define SET_REPLY_COMMAND_STREAM 178
#define ENUMERATE_INSTANCE_VERSION 137

static struct pvgpu_context *ctx_create(struct pvgpu_renderer *renderer, struct timeline *timeline) {
  struct pvgpu_context_options options = {0};
  struct pvgpu_context *context;
  options.size = sizeof options;
  options.capset_id = PVGPU_CAPSET_VENUS;
  options.name = "renderer.c";
  options.user = timeline;
  check(pvgpu_context_create(renderer, &options, &context), "pvgpu_context_create");
  return context;
}

static struct pvgpu_blob *resource_create_blob(struct pvgpu_context *context) {
  struct pvgpu_blob_request request = {0};
  struct pvgpu_blob *blob;
  request.size = sizeof request;
  request.resource_id = RESOURCE;
  request.flags = PVGPU_BLOB_MAPPABLE;
  request.bytes = 4096;
  check(pvgpu_context_create_blob(context, &request, &blob), "pvgpu_context_create_blob");
  return blob;
}

/* What a hypervisor shows to the guest: a pointer here. The file of the same bytes would do as well. */
static const unsigned char *resource_map_blob(struct pvgpu_blob *blob) {
  struct pvgpu_blob_info info = {0};
  void *pointer;
  info.size = sizeof info;
  check(pvgpu_blob_get_info(blob, &info), "pvgpu_blob_get_info");
  if (info.bytes < 4096 || info.fd < 0 || info.map_info != PVGPU_MAP_CACHED) fail("not memory that can be mapped");
  check(pvgpu_blob_map(blob, &pointer), "pvgpu_blob_map");
  return pointer;
}

static void submit_3d(struct pvgpu_context *context, uint64_t fence_id) {
  /* Where replies go: resource, offset and size; then the question, flagged as one that wants a reply. */
  const uint32_t commands[] = {SET_REPLY_COMMAND_STREAM, 0, 1, 0, RESOURCE, REPLY_OFFSET, 0, REPLY_BYTES, 0,
                               ENUMERATE_INSTANCE_VERSION, 1, 1, 0};
  check(pvgpu_context_submit(context, commands, sizeof commands), "pvgpu_context_submit");
  check(pvgpu_context_fence(context, 0, fence_id), "pvgpu_context_fence");
}

static void guest(struct pvgpu_renderer *renderer) {
  struct timeline timeline = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, 0};
  unsigned char capset[PVGPU_CAPSET_VENUS_BYTES];
  uint32_t reply[REPLY_BYTES / 4];
  struct pvgpu_context *context, *second;
  struct pvgpu_blob *blob;
  struct pvgpu_blob_info info = {0};
  const unsigned char *seen;

  check(pvgpu_get_capset(PVGPU_CAPSET_VENUS, 0, capset, sizeof capset), "pvgpu_get_capset");
  context = ctx_create(renderer, &timeline);
  blob = resource_create_blob(context);
  seen = resource_map_blob(blob);
  submit_3d(context, 1);
  wait_for_fence(&timeline, 1);
  memcpy(reply, seen + REPLY_OFFSET, sizeof reply);
  if (reply[0] != ENUMERATE_INSTANCE_VERSION || reply[1] != 0) fail("not a reply to vkEnumerateInstanceVersion");
  printf("vkEnumerateInstanceVersion: %u.%u.%u\n", (unsigned)reply[4] >> 22, (unsigned)(reply[4] >> 12 & 0x3ff),
         (unsigned)(reply[4] & 0xfff));

  /* Another process of the guest gets the resource too: CTX_ATTACH_RESOURCE. */
  second = ctx_create(renderer, &timeline);
  info.size = sizeof info;
  check(pvgpu_blob_get_info(blob, &info), "pvgpu_blob_get_info");
  check(pvgpu_context_attach(second, RESOURCE, info.fd, info.bytes), "pvgpu_context_attach");
  check(pvgpu_context_detach(second, RESOURCE), "pvgpu_context_detach");
  check(pvgpu_context_destroy(second), "pvgpu_context_destroy");

  /* RESOURCE_UNREF, CTX_DESTROY */
  check(pvgpu_context_detach(context, RESOURCE), "pvgpu_context_detach");
  check(pvgpu_blob_destroy(blob), "pvgpu_blob_destroy");
  check(pvgpu_context_destroy(context), "pvgpu_context_destroy");
}

int main(int argc, char **argv) {
  struct pvgpu_host_options options = {0};
  struct pvgpu_renderer_callbacks callbacks = {0};
  struct pvgpu_host *host;
  struct pvgpu_renderer *renderer;

  options.size = sizeof options;
  options.vulkan_loader = argc > 1 ? argv[1] : NULL;
  check(pvgpu_host_open(&options, &host), "pvgpu_host_open");
  callbacks.size = sizeof callbacks;
  callbacks.fence = on_fence;
  callbacks.context_lost = on_context_lost;
  check(pvgpu_renderer_create(host, NULL, &callbacks, &renderer), "pvgpu_renderer_create");
  guest(renderer);
  check(pvgpu_renderer_destroy(renderer), "pvgpu_renderer_destroy");
  check(pvgpu_host_close(host), "pvgpu_host_close");
  return 0;
}
