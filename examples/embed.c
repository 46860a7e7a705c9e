/*
 * A whole small host of a virtio-gpu device: what a VMM does with pvgpu.h, and what the kernel and Mesa of a guest do with the
 * device. Two machines at once ask the host's driver for its Vulkan version, each through a device of its own.
 *
 *     cc -std=c99 embed.c $(pkg-config --cflags --libs pvgpu) -lpthread -o embed
 *     ./embed [VULKAN_LOADER]
 *
 * Functions that begin with vmm_ are the VMM's; with guest_, the guest's. In a real VMM the latter are software in the
 * virtual machine, which reaches the former through a bus. Ends with status 0 if every answer is right.
 */
#define _DEFAULT_SOURCE
#include <errno.h>
#include <pthread.h>
#include <pvgpu/pvgpu.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#define MACHINES 2
#define WINDOW_BYTES ((uint64_t)64 << 20)
#define DISPLAY_WIDTH 640
#define DISPLAY_HEIGHT 480

/* Where things lie in the guest's memory. */
#define GUEST_RAM 0x80000000u
#define GUEST_RAM_BYTES 0x100000u
#define DESCRIPTORS (GUEST_RAM + 0x0000)
#define AVAILABLE (GUEST_RAM + 0x1000)
#define USED (GUEST_RAM + 0x2000)
#define REQUEST (GUEST_RAM + 0x4000)
#define RESPONSE (GUEST_RAM + 0x8000)
#define RESPONSE_BYTES 0x1000
#define PICTURE (GUEST_RAM + 0x10000)
#define QUEUE_SIZE 64

struct machine {
  int number;
  struct pvgpu_device *device;
  unsigned char *ram;    /* the guest's memory */
  unsigned char *window; /* what the guest sees behind the device's shared memory region */
  uint16_t available, used; /* of the guest's driver: how many requests it has sent, and seen answered */

  /* From the device's thread to the guest's. */
  pthread_mutex_t mutex;
  pthread_cond_t changed;
  int interrupt_pending;
  int mappings;
  /* What the display shows: 0xRRGGBB each, a line after the other. */
  uint32_t *screen;
  uint32_t screen_width, screen_height;
};

static void fail(const struct machine *machine, const char *what) {
  fprintf(stderr, "machine %d: %s\n", machine ? machine->number : -1, what);
  exit(1);
}

static void check(const struct machine *machine, int result, const char *what) {
  if (result == 0) return;
  fprintf(stderr, "%s: %s\n", what, strerror(-result));
  fail(machine, what);
}

/* ---- the VMM: callbacks, on the device's thread ---- */

static void vmm_interrupt(void *user, uint16_t queue) {
  struct machine *machine = user;
  (void)queue;
  pthread_mutex_lock(&machine->mutex);
  machine->interrupt_pending = 1;
  pthread_cond_broadcast(&machine->changed);
  pthread_mutex_unlock(&machine->mutex);
}

static void vmm_queue_broken(void *user, uint16_t queue) {
  (void)queue;
  fail(user, "the device says that the driver broke the queue");
}

static int vmm_map(void *user, uint64_t offset, uint64_t length, int fd, uint64_t fd_offset) {
  struct machine *machine = user;
  void *at = mmap(machine->window + offset, (size_t)length, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, (off_t)fd_offset);
  if (at == MAP_FAILED) return -errno;
  pthread_mutex_lock(&machine->mutex);
  machine->mappings++;
  pthread_mutex_unlock(&machine->mutex);
  return 0;
}

static int vmm_unmap(void *user, uint64_t offset, uint64_t length) {
  struct machine *machine = user;
  /* Not munmap: the addresses must stay the window's. */
  void *at = mmap(machine->window + offset, (size_t)length, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
  if (at == MAP_FAILED) return -errno;
  pthread_mutex_lock(&machine->mutex);
  machine->mappings--;
  pthread_mutex_unlock(&machine->mutex);
  return 0;
}

/* A real VMM copies what is new into its window, or shows the file that the pixels lie in. */
static void vmm_show(void *user, uint32_t scanout, const struct pvgpu_pixels *pixels, const struct pvgpu_rect *damage) {
  struct machine *machine = user;
  uint32_t x, y;
  if (scanout != 0 || pixels->format != PVGPU_FORMAT_B8G8R8X8) fail(machine, "not the picture of the guest");
  pthread_mutex_lock(&machine->mutex);
  if (pixels->width != machine->screen_width || pixels->height != machine->screen_height) {
    free(machine->screen);
    machine->screen = calloc((size_t)pixels->width * pixels->height, sizeof *machine->screen);
    if (!machine->screen) fail(machine, "no memory");
    machine->screen_width = pixels->width;
    machine->screen_height = pixels->height;
  }
  for (y = damage->y; y < damage->y + damage->height; y++) {
    const unsigned char *line = (const unsigned char *)pixels->pixels + (size_t)y * pixels->stride;
    for (x = damage->x; x < damage->x + damage->width; x++)
      machine->screen[(size_t)y * pixels->width + x] =
          (uint32_t)line[4 * x + 2] << 16 | (uint32_t)line[4 * x + 1] << 8 | line[4 * x];
  }
  pthread_mutex_unlock(&machine->mutex);
}

static void vmm_blank(void *user, uint32_t scanout) {
  struct machine *machine = user;
  (void)scanout;
  pthread_mutex_lock(&machine->mutex);
  machine->screen_width = machine->screen_height = 0;
  pthread_mutex_unlock(&machine->mutex);
}

static uint32_t vmm_screen_at(struct machine *machine, uint32_t width, uint32_t height, uint32_t x, uint32_t y) {
  uint32_t pixel;
  pthread_mutex_lock(&machine->mutex);
  if (machine->screen_width != width || machine->screen_height != height) fail(machine, "the display has another size");
  pixel = machine->screen[(size_t)y * width + x];
  pthread_mutex_unlock(&machine->mutex);
  return pixel;
}

static int vmm_mappings(struct machine *machine) {
  int mappings;
  pthread_mutex_lock(&machine->mutex);
  mappings = machine->mappings;
  pthread_mutex_unlock(&machine->mutex);
  return mappings;
}

static void vmm_log(void *user, enum pvgpu_log_level level, const char *line) {
  (void)user;
  fprintf(stderr, "pvgpu (%d): %s\n", (int)level, line);
}

static void *vmm_memory(struct machine *machine, size_t bytes, int protection) {
  void *memory = mmap(NULL, bytes, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) fail(machine, "no memory");
  return memory;
}

static void vmm_build(struct machine *machine, struct pvgpu_host *host) {
  const struct pvgpu_display display = {DISPLAY_WIDTH, DISPLAY_HEIGHT};
  struct pvgpu_device_options options = {0};
  struct pvgpu_device_callbacks callbacks = {0};

  pthread_mutex_init(&machine->mutex, NULL);
  pthread_cond_init(&machine->changed, NULL);
  machine->ram = vmm_memory(machine, GUEST_RAM_BYTES, PROT_READ | PROT_WRITE);
  machine->window = vmm_memory(machine, WINDOW_BYTES, PROT_NONE);

  options.size = sizeof options;
  options.window_bytes = WINDOW_BYTES;
  options.displays = &display;
  options.display_count = 1;
  callbacks.size = sizeof callbacks;
  callbacks.user = machine;
  callbacks.interrupt = vmm_interrupt;
  callbacks.queue_broken = vmm_queue_broken;
  callbacks.map = vmm_map;
  callbacks.unmap = vmm_unmap;
  callbacks.show = vmm_show;
  callbacks.blank = vmm_blank;
  check(machine, pvgpu_device_create(host, &options, &callbacks, &machine->device), "pvgpu_device_create");
  check(machine, pvgpu_device_add_memory(machine->device, GUEST_RAM, machine->ram, GUEST_RAM_BYTES), "pvgpu_device_add_memory");
}

static void vmm_dismantle(struct machine *machine) {
  check(machine, pvgpu_device_destroy(machine->device), "pvgpu_device_destroy");
  if (vmm_mappings(machine) != 0) fail(machine, "mappings are left in the window");
  if (machine->screen_width != 0) fail(machine, "the display still shows something");
  free(machine->screen);
  munmap(machine->ram, GUEST_RAM_BYTES);
  munmap(machine->window, WINDOW_BYTES);
  pthread_cond_destroy(&machine->changed);
  pthread_mutex_destroy(&machine->mutex);
}

/* ---- the guest's kernel: virtio ---- */

#define FEATURE_VIRGL ((uint64_t)1 << 0)
#define FEATURE_RESOURCE_BLOB ((uint64_t)1 << 3)
#define FEATURE_CONTEXT_INIT ((uint64_t)1 << 4)
#define FEATURE_VERSION_1 ((uint64_t)1 << 32)
#define DESCRIPTOR_NEXT 1
#define DESCRIPTOR_WRITE 2

struct descriptor {
  uint64_t address;
  uint32_t length;
  uint16_t flags, next;
};

static void *guest_at(struct machine *machine, uint64_t address) { return machine->ram + (address - GUEST_RAM); }

static void guest_probe(struct machine *machine) {
  const uint64_t wanted = FEATURE_VIRGL | FEATURE_RESOURCE_BLOB | FEATURE_CONTEXT_INIT | FEATURE_VERSION_1;
  struct pvgpu_queue queue = {0};
  uint32_t config[4];

  if ((pvgpu_device_features(machine->device) & wanted) != wanted) fail(machine, "not a device for Venus");
  check(machine, pvgpu_device_accept_features(machine->device, wanted), "pvgpu_device_accept_features");
  check(machine, pvgpu_device_read_config(machine->device, 0, config, sizeof config), "pvgpu_device_read_config");
  if (config[2] != 1) fail(machine, "the config space tells of no display");
  if (config[3] != 1) fail(machine, "the config space tells of no capset");

  memset(machine->ram, 0, GUEST_RAM_BYTES);
  machine->available = machine->used = 0;
  queue.size = sizeof queue;
  queue.descriptors = QUEUE_SIZE;
  queue.descriptor_table = DESCRIPTORS;
  queue.available_ring = AVAILABLE;
  queue.used_ring = USED;
  check(machine, pvgpu_device_start_queue(machine->device, 0, &queue), "pvgpu_device_start_queue");
}

static void guest_wait_for_interrupt(struct machine *machine) {
  struct timespec deadline;
  clock_gettime(CLOCK_REALTIME, &deadline);
  deadline.tv_sec += 60;
  pthread_mutex_lock(&machine->mutex);
  while (!machine->interrupt_pending)
    if (pthread_cond_timedwait(&machine->changed, &machine->mutex, &deadline) != 0) fail(machine, "no interrupt in 60 seconds");
  machine->interrupt_pending = 0;
  pthread_mutex_unlock(&machine->mutex);
}

/* Sends what lies at REQUEST, and returns when the answer lies at RESPONSE: how many bytes it has. */
static uint32_t guest_send(struct machine *machine, uint32_t bytes) {
  struct descriptor *descriptors = guest_at(machine, DESCRIPTORS);
  uint16_t *available = guest_at(machine, AVAILABLE); /* flags, index, entries */
  uint16_t *used = guest_at(machine, USED);           /* flags, index; then entries of two u32 */
  const uint16_t slot = machine->used % QUEUE_SIZE;
  uint32_t entry[2];

  memset(guest_at(machine, RESPONSE), 0, RESPONSE_BYTES);
  descriptors[0].address = REQUEST;
  descriptors[0].length = bytes;
  descriptors[0].flags = DESCRIPTOR_NEXT;
  descriptors[0].next = 1;
  descriptors[1].address = RESPONSE;
  descriptors[1].length = RESPONSE_BYTES;
  descriptors[1].flags = DESCRIPTOR_WRITE;
  descriptors[1].next = 0;
  available[2 + machine->available % QUEUE_SIZE] = 0; /* the chain begins with descriptor 0 */
  machine->available++;
  /* release: the device that sees the index sees the entry and what it names. */
  __atomic_store_n(&available[1], machine->available, __ATOMIC_RELEASE);
  check(machine, pvgpu_device_kick(machine->device, 0), "pvgpu_device_kick"); /* in a VM: the write to the notify register */

  /* acquire: pairs with the device's release of the index. */
  while (__atomic_load_n(&used[1], __ATOMIC_ACQUIRE) == machine->used) guest_wait_for_interrupt(machine);
  machine->used++;
  memcpy(entry, (unsigned char *)used + 4 + 8 * slot, sizeof entry);
  if (entry[0] != 0) fail(machine, "the device gave another buffer back");
  return entry[1];
}

/* ---- the guest's kernel: virtio-gpu ---- */

enum {
  GET_DISPLAY_INFO = 0x0100,
  RESOURCE_CREATE_2D = 0x0101,
  SET_SCANOUT = 0x0103,
  RESOURCE_FLUSH = 0x0104,
  TRANSFER_TO_HOST_2D = 0x0105,
  RESOURCE_ATTACH_BACKING = 0x0106,
  GET_CAPSET_INFO = 0x0108,
  GET_CAPSET = 0x0109,
  RESOURCE_CREATE_BLOB = 0x010c,
  RESOURCE_UNREF = 0x0102,
  CTX_CREATE = 0x0200,
  CTX_DESTROY = 0x0201,
  SUBMIT_3D = 0x0207,
  RESOURCE_MAP_BLOB = 0x0208,
  RESOURCE_UNMAP_BLOB = 0x0209,
  OK_NODATA = 0x1100,
  OK_DISPLAY_INFO = 0x1101,
  OK_CAPSET_INFO = 0x1102,
  OK_CAPSET = 0x1103,
  OK_MAP_INFO = 0x1106
};
#define CAPSET_VENUS 4
#define CONTEXT 1
#define RESOURCE 1
#define BLOB_BYTES 0x4000
#define BLOB_OFFSET 0x10000 /* in the window */
#define PICTURE_RESOURCE 2
#define PICTURE_WIDTH 40
#define PICTURE_HEIGHT 30
#define FORMAT_B8G8R8X8 2

struct header {
  uint32_t type, flags;
  uint64_t fence_id;
  uint32_t ctx_id, ring_idx;
};
#define FLAG_FENCE 1
#define FLAG_RING_IDX 2

/* Sends a command with `bytes` bytes of `body` behind the header, and returns what follows the header of the answer. */
static void *guest_call(struct machine *machine, uint32_t command, uint32_t flags, const void *body, uint32_t bytes, uint32_t expected) {
  struct header header = {0};
  const struct header *answer = guest_at(machine, RESPONSE);
  uint32_t written;

  header.type = command;
  header.flags = flags;
  header.fence_id = flags & FLAG_FENCE ? 1 : 0;
  header.ctx_id = CONTEXT;
  memcpy(guest_at(machine, REQUEST), &header, sizeof header);
  if (bytes > 0) memcpy(guest_at(machine, REQUEST + sizeof header), body, bytes);
  written = guest_send(machine, (uint32_t)sizeof header + bytes);
  if (written < sizeof header || answer->type != expected) {
    fprintf(stderr, "command 0x%x answered with 0x%x\n", (unsigned)command, (unsigned)answer->type);
    fail(machine, "a command failed");
  }
  return guest_at(machine, RESPONSE + sizeof header);
}

static void guest_read_capset(struct machine *machine) {
  const uint32_t index[2] = {0, 0}, capset[2] = {CAPSET_VENUS, 0};
  const uint32_t *info = guest_call(machine, GET_CAPSET_INFO, 0, index, sizeof index, OK_CAPSET_INFO);
  const uint32_t *words;
  if (info[0] != CAPSET_VENUS) fail(machine, "the capset is not Venus");
  words = guest_call(machine, GET_CAPSET, 0, capset, sizeof capset, OK_CAPSET);
  if (words[0] != 1) fail(machine, "not the wire format of today's Mesa");
}

static void guest_open_context(struct machine *machine) {
  struct {
    uint32_t name_length, context_init;
    char name[64];
  } create = {5, CAPSET_VENUS, "embed"};
  guest_call(machine, CTX_CREATE, 0, &create, sizeof create, OK_NODATA);
}

/* Memory of the host, mapped: where the guest sees it. */
static unsigned char *guest_map_blob(struct machine *machine) {
  struct {
    uint32_t resource, memory, flags, entries;
    uint64_t blob_id, size;
  } create = {RESOURCE, 2 /* the host's */, 1 /* mappable */, 0, 0 /* plain shared memory */, BLOB_BYTES};
  struct {
    uint32_t resource, padding;
    uint64_t offset;
  } map = {RESOURCE, 0, BLOB_OFFSET};
  guest_call(machine, RESOURCE_CREATE_BLOB, 0, &create, sizeof create, OK_NODATA);
  guest_call(machine, RESOURCE_MAP_BLOB, 0, &map, sizeof map, OK_MAP_INFO);
  if (vmm_mappings(machine) != 1) fail(machine, "the device answered before the blob was mapped");
  return machine->window + BLOB_OFFSET;
}

/* ---- the guest's kernel: its console, say ---- */

static uint32_t guest_color(uint32_t x, uint32_t y) { return x << 16 | y << 8 | (x ^ y); }

static void guest_draw(struct machine *machine, uint32_t left, uint32_t top, uint32_t width, uint32_t height, uint32_t inverted) {
  uint32_t *pixels = guest_at(machine, PICTURE);
  uint32_t x, y;
  for (y = top; y < top + height; y++)
    for (x = left; x < left + width; x++) pixels[y * PICTURE_WIDTH + x] = guest_color(x, y) ^ inverted;
}

static void guest_flush(struct machine *machine, uint32_t x, uint32_t y, uint32_t width, uint32_t height) {
  struct {
    uint32_t x, y, width, height;
    uint64_t offset;
    uint32_t resource, padding;
  } transfer = {0, 0, 0, 0, 0, PICTURE_RESOURCE, 0};
  struct {
    uint32_t x, y, width, height, resource, padding;
  } flush = {0, 0, 0, 0, PICTURE_RESOURCE, 0};
  transfer.x = flush.x = x;
  transfer.y = flush.y = y;
  transfer.width = flush.width = width;
  transfer.height = flush.height = height;
  transfer.offset = ((uint64_t)y * PICTURE_WIDTH + x) * 4;
  guest_call(machine, TRANSFER_TO_HOST_2D, 0, &transfer, sizeof transfer, OK_NODATA);
  guest_call(machine, RESOURCE_FLUSH, 0, &flush, sizeof flush, OK_NODATA);
}

static void guest_show(struct machine *machine) {
  const uint32_t create[4] = {PICTURE_RESOURCE, FORMAT_B8G8R8X8, PICTURE_WIDTH, PICTURE_HEIGHT};
  struct {
    uint32_t resource, entries;
    uint64_t address;
    uint32_t bytes, padding;
  } backing = {PICTURE_RESOURCE, 1, PICTURE, PICTURE_WIDTH * PICTURE_HEIGHT * 4, 0};
  const uint32_t scanout[6] = {0, 0, PICTURE_WIDTH, PICTURE_HEIGHT, 0, PICTURE_RESOURCE};
  const uint32_t *info = guest_call(machine, GET_DISPLAY_INFO, 0, NULL, 0, OK_DISPLAY_INFO);
  uint32_t x, y;

  if (info[2] != DISPLAY_WIDTH || info[3] != DISPLAY_HEIGHT || info[4] != 1) fail(machine, "not the display's size");
  guest_call(machine, RESOURCE_CREATE_2D, 0, create, sizeof create, OK_NODATA);
  guest_call(machine, RESOURCE_ATTACH_BACKING, 0, &backing, sizeof backing, OK_NODATA);
  guest_call(machine, SET_SCANOUT, 0, scanout, sizeof scanout, OK_NODATA);
  guest_draw(machine, 0, 0, PICTURE_WIDTH, PICTURE_HEIGHT, 0);
  guest_flush(machine, 0, 0, PICTURE_WIDTH, PICTURE_HEIGHT);
  /* Then a part of it, which it tells, and one that it keeps to itself. */
  guest_draw(machine, 10, 5, 8, 4, 0xffffff);
  guest_draw(machine, 30, 20, 2, 2, 0xffffff);
  guest_flush(machine, 10, 5, 8, 4);
  for (y = 0; y < PICTURE_HEIGHT; y++)
    for (x = 0; x < PICTURE_WIDTH; x++) {
      const int inverted = x >= 10 && x < 18 && y >= 5 && y < 9;
      if (vmm_screen_at(machine, PICTURE_WIDTH, PICTURE_HEIGHT, x, y) != (guest_color(x, y) ^ (inverted ? 0xffffff : 0)))
        fail(machine, "the display does not show what the guest has drawn");
    }
}

/* ---- the guest's Mesa: commands of the Venus protocol ---- */

#define SET_REPLY_COMMAND_STREAM 178
#define ENUMERATE_INSTANCE_VERSION 137
#define REPLY_OFFSET 64
#define REPLY_BYTES 20

static void guest_ask_version(struct machine *machine, const unsigned char *blob) {
  /* Where replies go: resource, offset and size; then the question, flagged as one that wants a reply. */
  const uint32_t commands[] = {SET_REPLY_COMMAND_STREAM, 0, 1, 0, RESOURCE, REPLY_OFFSET, 0, REPLY_BYTES, 0,
                               ENUMERATE_INSTANCE_VERSION, 1, 1, 0};
  struct {
    uint32_t size, padding;
    uint32_t commands[sizeof commands / sizeof commands[0]];
  } submit = {sizeof commands, 0, {0}};
  uint32_t reply[REPLY_BYTES / 4];

  memcpy(submit.commands, commands, sizeof commands);
  guest_call(machine, SUBMIT_3D, FLAG_FENCE | FLAG_RING_IDX, &submit, sizeof submit, OK_NODATA);
  /* The fence on ring_idx 0 says that the commands were executed. */
  memcpy(reply, blob + REPLY_OFFSET, sizeof reply);
  if (reply[0] != ENUMERATE_INSTANCE_VERSION || reply[1] != 0 || reply[2] != 1) fail(machine, "not a reply to vkEnumerateInstanceVersion");
  if (reply[4] >> 22 != 1 || (reply[4] >> 12 & 0x3ff) < 1) fail(machine, "the host's Vulkan is no Vulkan 1.1");
  printf("machine %d: vkEnumerateInstanceVersion: %u.%u.%u\n", machine->number, (unsigned)reply[4] >> 22,
         (unsigned)(reply[4] >> 12 & 0x3ff), (unsigned)(reply[4] & 0xfff));
}

static void guest_close(struct machine *machine) {
  const uint32_t resource[2] = {RESOURCE, 0}, picture[2] = {PICTURE_RESOURCE, 0};
  guest_call(machine, RESOURCE_UNMAP_BLOB, 0, resource, sizeof resource, OK_NODATA);
  if (vmm_mappings(machine) != 0) fail(machine, "the blob is still mapped");
  guest_call(machine, RESOURCE_UNREF, 0, resource, sizeof resource, OK_NODATA);
  guest_call(machine, CTX_DESTROY, 0, NULL, 0, OK_NODATA);
  guest_call(machine, RESOURCE_UNREF, 0, picture, sizeof picture, OK_NODATA);
  if (machine->screen_width != 0) fail(machine, "the display shows what is gone");
}

/* ---- */

static void guest_run(struct machine *machine) {
  guest_probe(machine);
  guest_show(machine);
  guest_read_capset(machine);
  guest_open_context(machine);
  guest_ask_version(machine, guest_map_blob(machine));
}

static void *run_machine(void *argument) {
  struct machine *machine = argument;
  guest_run(machine);
  /* The guest reboots, and leaves everything as it is. */
  check(machine, pvgpu_device_reset(machine->device), "pvgpu_device_reset");
  if (vmm_mappings(machine) != 0) fail(machine, "a mapping outlived the reset");
  if (machine->screen_width != 0) fail(machine, "a picture outlived the reset");
  guest_run(machine);
  guest_close(machine);
  return NULL;
}

int main(int argc, char **argv) {
  struct machine machines[MACHINES];
  pthread_t threads[MACHINES];
  struct pvgpu_host_options options = {0};
  struct pvgpu_host *host;
  int i;

  check(NULL, pvgpu_set_log(vmm_log, NULL, PVGPU_LOG_WARN), "pvgpu_set_log");
  options.size = sizeof options;
  options.vulkan_loader = argc > 1 ? argv[1] : NULL;
  check(NULL, pvgpu_host_open(&options, &host), "pvgpu_host_open");
  memset(machines, 0, sizeof machines);
  for (i = 0; i < MACHINES; i++) {
    machines[i].number = i;
    vmm_build(&machines[i], host);
  }
  for (i = 0; i < MACHINES; i++)
    if (pthread_create(&threads[i], NULL, run_machine, &machines[i]) != 0) fail(&machines[i], "no thread");
  for (i = 0; i < MACHINES; i++) pthread_join(threads[i], NULL);
  for (i = 0; i < MACHINES; i++) vmm_dismantle(&machines[i]);
  check(NULL, pvgpu_host_close(host), "pvgpu_host_close");
  return 0;
}
