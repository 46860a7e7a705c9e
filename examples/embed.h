/* What the parts of the example know of each other: embed.c, the VMM, and embed_guest.c, the guest. */
#ifndef EMBED_H
#define EMBED_H

#include <pthread.h>
#include <pvgpu/pvgpu.h>
#include <stddef.h>
#include <stdint.h>

#define WINDOW_BYTES ((uint64_t)64 << 20)
#define DISPLAY_WIDTH 640
#define DISPLAY_HEIGHT 480
#define GUEST_RAM 0x80000000u
#define GUEST_RAM_BYTES 0x100000u
#define MAPPINGS_MAX 16

/* Memory that the guest sees in the window, at a pointer of this process. */
struct mapping {
  uint64_t offset, length; /* length 0: none */
  unsigned char *pointer;
};

struct machine {
  int number;
  int maps_pointers;  /* else files */
  int maps_finely;    /* in pieces of 4 KiB, whatever the host's pages are */
  int is_old;         /* its guest knows nothing of hosts with larger pages than its own */
  const char *worker; /* see pvgpu_device_options */
  struct pvgpu_device *device;
  unsigned char *ram;    /* the guest's memory */
  unsigned char *window; /* what the guest sees behind the device's shared memory region, if files are mapped */

  /* Of the guest's driver. */
  uint16_t available, used; /* how many requests it has sent, and seen answered */
  uint32_t blob_alignment;  /* bytes */

  /* From the device's thread to the guest's. */
  pthread_mutex_t mutex;
  pthread_cond_t changed;
  int interrupt_pending;
  int mapping_count;
  struct mapping mappings[MAPPINGS_MAX]; /* by pointer */
  /* What the display shows: 0xRRGGBB each, a line after the other. */
  uint32_t *screen;
  uint32_t screen_width, screen_height;
};

/* Both end the program. */
void fail(const struct machine *machine, const char *what);
void check(const struct machine *machine, int result, const char *what); /* a result of the library's, if it is an error */

/* What the guest's processor finds at `offset` of the window: the VMM's memory, or nothing (NULL), which would be a fault. */
unsigned char *vmm_window_at(struct machine *machine, uint64_t offset);
/* Until the device has raised its interrupt. */
void vmm_wait_for_interrupt(struct machine *machine);
int vmm_mapping_count(struct machine *machine);
uint32_t vmm_screen_at(struct machine *machine, uint32_t width, uint32_t height, uint32_t x, uint32_t y);

/* From power-on to a program that has asked its question of Vulkan. */
void guest_run(struct machine *machine);
/* Ends the program, and what the console shows. */
void guest_close(struct machine *machine);

#endif
