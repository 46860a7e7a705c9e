/*
 * A whole small host of virtio-gpu devices: what a VMM does with pvgpu.h. Three machines at once, whose guests (embed_guest.c) show
 * a picture and ask the host's driver for its Vulkan version, each through a device of its own. The first VMM maps files into its
 * window; the others hand pointers to their hypervisors.
 *
 *     cc -std=c99 embed.c embed_guest.c $(pkg-config --cflags --libs pvgpu) -lpthread -o embed
 *     ./embed [VULKAN_LOADER [PVGPU]]
 *
 * PVGPU, the path of the pvgpu program, puts the guests' contexts into processes of their own. An empty VULKAN_LOADER is the system's.
 * Ends with status 0 if every answer is right.
 */
#define _DEFAULT_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "embed.h"

#define MACHINES 3

void fail(const struct machine *machine, const char *what) {
  fprintf(stderr, "machine %d: %s\n", machine ? machine->number : -1, what);
  exit(1);
}

void check(const struct machine *machine, int result, const char *what) {
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
  machine->mapping_count++;
  pthread_mutex_unlock(&machine->mutex);
  return 0;
}

/* The other way, for hypervisors that map memory of this process into a guest, piece by piece (hv_vm_map, memory slots of KVM's). */
static int vmm_map_pointer(void *user, uint64_t offset, uint64_t length, void *pointer) {
  struct machine *machine = user;
  int i;
  if ((uintptr_t)pointer % 4096 != 0) fail(machine, "a mapping that does not begin with a page");
  pthread_mutex_lock(&machine->mutex);
  for (i = 0; i < MAPPINGS_MAX && machine->mappings[i].length > 0; i++) continue;
  if (i < MAPPINGS_MAX) {
    machine->mappings[i].offset = offset;
    machine->mappings[i].length = length;
    machine->mappings[i].pointer = pointer;
    machine->mapping_count++;
  }
  pthread_mutex_unlock(&machine->mutex);
  return i < MAPPINGS_MAX ? 0 : -ENOSPC;
}

static int vmm_unmap_pointer(struct machine *machine, uint64_t offset, uint64_t length) {
  int i;
  pthread_mutex_lock(&machine->mutex);
  for (i = 0; i < MAPPINGS_MAX; i++)
    if (machine->mappings[i].offset == offset && machine->mappings[i].length == length) break;
  if (i == MAPPINGS_MAX) fail(machine, "something is unmapped that was not mapped");
  machine->mappings[i].length = 0;
  machine->mapping_count--;
  pthread_mutex_unlock(&machine->mutex);
  return 0;
}

static int vmm_unmap(void *user, uint64_t offset, uint64_t length) {
  struct machine *machine = user;
  void *at;
  if (machine->maps_pointers) return vmm_unmap_pointer(machine, offset, length);
  /* Not munmap: the addresses must stay the window's. */
  at = mmap(machine->window + offset, (size_t)length, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
  if (at == MAP_FAILED) return -errno;
  pthread_mutex_lock(&machine->mutex);
  machine->mapping_count--;
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

uint32_t vmm_screen_at(struct machine *machine, uint32_t width, uint32_t height, uint32_t x, uint32_t y) {
  uint32_t pixel;
  pthread_mutex_lock(&machine->mutex);
  if (machine->screen_width != width || machine->screen_height != height) fail(machine, "the display has another size");
  pixel = machine->screen[(size_t)y * width + x];
  pthread_mutex_unlock(&machine->mutex);
  return pixel;
}

int vmm_mapping_count(struct machine *machine) {
  int count;
  pthread_mutex_lock(&machine->mutex);
  count = machine->mapping_count;
  pthread_mutex_unlock(&machine->mutex);
  return count;
}

unsigned char *vmm_window_at(struct machine *machine, uint64_t offset) {
  unsigned char *at = NULL;
  int i;
  if (!machine->maps_pointers) return machine->window + offset;
  pthread_mutex_lock(&machine->mutex);
  for (i = 0; i < MAPPINGS_MAX; i++) {
    const struct mapping *mapping = &machine->mappings[i];
    if (offset >= mapping->offset && offset - mapping->offset < mapping->length) at = mapping->pointer + (offset - mapping->offset);
  }
  pthread_mutex_unlock(&machine->mutex);
  return at;
}

void vmm_wait_for_interrupt(struct machine *machine) {
  struct timespec deadline;
  clock_gettime(CLOCK_REALTIME, &deadline);
  deadline.tv_sec += 60;
  pthread_mutex_lock(&machine->mutex);
  while (!machine->interrupt_pending)
    if (pthread_cond_timedwait(&machine->changed, &machine->mutex, &deadline) != 0) fail(machine, "no interrupt in 60 seconds");
  machine->interrupt_pending = 0;
  pthread_mutex_unlock(&machine->mutex);
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
  options.worker = machine->worker;
  if (machine->maps_finely) options.map_alignment = 4096;
  callbacks.size = sizeof callbacks;
  callbacks.user = machine;
  callbacks.interrupt = vmm_interrupt;
  callbacks.queue_broken = vmm_queue_broken;
  if (machine->maps_pointers)
    callbacks.map_pointer = vmm_map_pointer;
  else
    callbacks.map = vmm_map;
  callbacks.unmap = vmm_unmap;
  callbacks.show = vmm_show;
  callbacks.blank = vmm_blank;
  check(machine, pvgpu_device_create(host, &options, &callbacks, &machine->device), "pvgpu_device_create");
  check(machine, pvgpu_device_add_memory(machine->device, GUEST_RAM, machine->ram, GUEST_RAM_BYTES), "pvgpu_device_add_memory");
}

static void vmm_dismantle(struct machine *machine) {
  check(machine, pvgpu_device_destroy(machine->device), "pvgpu_device_destroy");
  if (vmm_mapping_count(machine) != 0) fail(machine, "mappings are left in the window");
  if (machine->screen_width != 0) fail(machine, "the display still shows something");
  free(machine->screen);
  munmap(machine->ram, GUEST_RAM_BYTES);
  munmap(machine->window, WINDOW_BYTES);
  pthread_cond_destroy(&machine->changed);
  pthread_mutex_destroy(&machine->mutex);
}

static void *run_machine(void *argument) {
  struct machine *machine = argument;
  guest_run(machine);
  /* The guest reboots, and leaves everything as it is. */
  check(machine, pvgpu_device_reset(machine->device), "pvgpu_device_reset");
  if (vmm_mapping_count(machine) != 0) fail(machine, "a mapping outlived the reset");
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
  options.vulkan_loader = argc > 1 && argv[1][0] ? argv[1] : NULL;
  check(NULL, pvgpu_host_open(&options, &host), "pvgpu_host_open");
  memset(machines, 0, sizeof machines);
  for (i = 0; i < MACHINES; i++) {
    machines[i].number = i;
    machines[i].maps_pointers = i > 0;
    machines[i].is_old = i == 1;
    machines[i].maps_finely = i == 2;
    machines[i].worker = argc > 2 ? argv[2] : NULL;
    vmm_build(&machines[i], host);
  }
  for (i = 0; i < MACHINES; i++)
    if (pthread_create(&threads[i], NULL, run_machine, &machines[i]) != 0) fail(&machines[i], "no thread");
  for (i = 0; i < MACHINES; i++) pthread_join(threads[i], NULL);
  for (i = 0; i < MACHINES; i++) vmm_dismantle(&machines[i]);
  check(NULL, pvgpu_host_close(host), "pvgpu_host_close");
  return 0;
}
