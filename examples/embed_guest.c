/*
 * The guest of the example: what Linux's virtio and virtio-gpu drivers and Mesa do with the device, in few lines. In a real virtual
 * machine this is software behind a bus, and each call of the library here is an access to that bus, which the VMM answers with
 * that call.
 */
#define _DEFAULT_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "embed.h"

/* Where things lie in the guest's memory. */
#define DESCRIPTORS (GUEST_RAM + 0x0000)
#define AVAILABLE (GUEST_RAM + 0x1000)
#define USED (GUEST_RAM + 0x2000)
#define REQUEST (GUEST_RAM + 0x4000)
#define RESPONSE (GUEST_RAM + 0x8000)
#define RESPONSE_BYTES 0x1000
#define PICTURE (GUEST_RAM + 0x10000)
#define QUEUE_SIZE 64
#define PAGE_BYTES 0x1000

/* ---- the guest's kernel: virtio ---- */

#define FEATURE_VIRGL ((uint64_t)1 << 0)
#define FEATURE_RESOURCE_BLOB ((uint64_t)1 << 3)
#define FEATURE_CONTEXT_INIT ((uint64_t)1 << 4)
#define FEATURE_BLOB_ALIGNMENT ((uint64_t)1 << 5)
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
  const uint64_t offered = pvgpu_device_features(machine->device);
  const uint64_t known = machine->is_old ? wanted : wanted | FEATURE_BLOB_ALIGNMENT;
  struct pvgpu_queue queue = {0};
  uint32_t config[PVGPU_CONFIG_BYTES / 4];

  if ((offered & wanted) != wanted) fail(machine, "not a device for Venus");
  check(machine, pvgpu_device_accept_features(machine->device, offered & known), "pvgpu_device_accept_features");
  check(machine, pvgpu_device_read_config(machine->device, 0, config, sizeof config), "pvgpu_device_read_config");
  if (config[2] != 1) fail(machine, "the config space tells of no display");
  if (config[3] != 1) fail(machine, "the config space tells of no capset");
  machine->blob_alignment = offered & known & FEATURE_BLOB_ALIGNMENT ? config[4] : PAGE_BYTES;

  memset(machine->ram, 0, GUEST_RAM_BYTES);
  machine->available = machine->used = 0;
  queue.size = sizeof queue;
  queue.descriptors = QUEUE_SIZE;
  queue.descriptor_table = DESCRIPTORS;
  queue.available_ring = AVAILABLE;
  queue.used_ring = USED;
  check(machine, pvgpu_device_start_queue(machine->device, 0, &queue), "pvgpu_device_start_queue");
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
  while (__atomic_load_n(&used[1], __ATOMIC_ACQUIRE) == machine->used) vmm_wait_for_interrupt(machine);
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
  } create = {RESOURCE, 2 /* the host's */, 1 /* mappable */, 0, 0 /* plain shared memory */, PAGE_BYTES};
  struct {
    uint32_t resource, padding;
    uint64_t offset;
  } map = {RESOURCE, 0, BLOB_OFFSET};
  create.size = (create.size + machine->blob_alignment - 1) / machine->blob_alignment * machine->blob_alignment;
  guest_call(machine, RESOURCE_CREATE_BLOB, 0, &create, sizeof create, OK_NODATA);
  guest_call(machine, RESOURCE_MAP_BLOB, 0, &map, sizeof map, OK_MAP_INFO);
  if (vmm_mapping_count(machine) != 1) fail(machine, "the device answered before the blob was mapped");
  return vmm_window_at(machine, BLOB_OFFSET);
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

void guest_close(struct machine *machine) {
  const uint32_t resource[2] = {RESOURCE, 0}, picture[2] = {PICTURE_RESOURCE, 0};
  guest_call(machine, RESOURCE_UNMAP_BLOB, 0, resource, sizeof resource, OK_NODATA);
  if (vmm_mapping_count(machine) != 0) fail(machine, "the blob is still mapped");
  guest_call(machine, RESOURCE_UNREF, 0, resource, sizeof resource, OK_NODATA);
  guest_call(machine, CTX_DESTROY, 0, NULL, 0, OK_NODATA);
  guest_call(machine, RESOURCE_UNREF, 0, picture, sizeof picture, OK_NODATA);
  if (machine->screen_width != 0) fail(machine, "the display shows what is gone");
}

/* ---- */

void guest_run(struct machine *machine) {
  guest_probe(machine);
  guest_show(machine);
  guest_read_capset(machine);
  guest_open_context(machine);
  guest_ask_version(machine, guest_map_blob(machine));
}
