/*
 * PearVisor GPU for virtual machine monitors: a virtio-gpu device whose guests run Vulkan on this host's driver.
 *
 * The VMM owns the bus (PCI or MMIO), the guest's memory and the window; this library owns the device behind them: its
 * features, config space, queues, and all that guests ask of it. The guest runs stock Linux and stock Mesa (Venus).
 *
 *     pvgpu_host_open            the Vulkan driver, once a process
 *     pvgpu_device_create        a device, one for each virtual machine; as many as there are
 *     pvgpu_device_add_memory    where the guest's memory lies in this process
 *     pvgpu_device_features, pvgpu_device_accept_features, pvgpu_device_read_config, pvgpu_device_write_config
 *     pvgpu_device_start_queue, pvgpu_device_kick, pvgpu_device_stop_queue     and the callback interrupt
 *     pvgpu_device_set_display_size     a window was resized; and the callbacks show, blank, set_cursor, move_cursor
 *     pvgpu_device_reset         when the driver writes 0 to the device's status, and when the guest reboots
 *     pvgpu_device_destroy, pvgpu_host_close
 *
 * examples/embed.c uses all of it; docs/embedding.md tells what a VMM does with it.
 *
 * Not there yet: window mappings by pointer rather than by file, renderers without the device around them, packed queues, saving and restoring a device, and contexts in
 * processes of their own: a guest that crashes the host's driver ends the VMM with it. `pvgpu device` (vhost-user) has
 * the last of these. Run on Linux only; it builds for macOS.
 *
 * Errors. Functions that return int return 0, or a negative errno value; what each means is said at the function, and
 * beside these every one may return -EINVAL for a null pointer or a queue that the device does not have, and -ENOMEM. A
 * function that fails has changed nothing unless it says so. errno itself is left as it is. What a person needs to know
 * besides goes to the log. Mistakes of a guest are no errors here: the guest gets a virtio error, a context of its own
 * ends, or a queue stops (see queue_broken), and the log tells it.
 *
 * Threads. Each device has a thread of its own. Every function may be called on any thread and waits for the device's
 * unless it says otherwise; so a caller must hold no lock that one of its callbacks takes. Callbacks of one device come on
 * its thread, one at a time. On that thread (in a callback) only pvgpu_device_kick, pvgpu_device_features and
 * pvgpu_version may be called; the others return -EDEADLK. Threads that this library starts take no signals.
 *
 * Structures begin with their size, which the caller sets to sizeof, and zeros everything that it does not use. Later
 * versions of this library add members at the ends, of which zero means what was so before. A library that is older than the
 * caller's header refuses (-E2BIG) members that it does not know, if they are not zero.
 */
#ifndef PVGPU_PVGPU_H
#define PVGPU_PVGPU_H

#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define PVGPU_API __attribute__((visibility("default")))
#else
#define PVGPU_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

#define PVGPU_VERSION_MAJOR 0
#define PVGPU_VERSION_MINOR 1
#define PVGPU_VERSION_PATCH 0
#define PVGPU_MAKE_VERSION(major, minor, patch) (((uint32_t)(major) << 20) | ((uint32_t)(minor) << 10) | (uint32_t)(patch))
#define PVGPU_VERSION PVGPU_MAKE_VERSION(PVGPU_VERSION_MAJOR, PVGPU_VERSION_MINOR, PVGPU_VERSION_PATCH)

/* Of the library that runs, as PVGPU_VERSION is of this header. Waits for nothing. */
PVGPU_API uint32_t pvgpu_version(void);

/* ---- the log ---- */

enum pvgpu_log_level {
  PVGPU_LOG_TRACE = 0,
  PVGPU_LOG_DEBUG = 1,
  PVGPU_LOG_INFO = 2,
  PVGPU_LOG_WARN = 3,
  PVGPU_LOG_ERROR = 4,
  PVGPU_LOG_OFF = 5
};

/*
 * A line of the log: no line break, no control characters, UTF-8. It is the library's, and gone when the callback returns.
 * Called on any thread, one line at a time; it must call no function of this library.
 */
typedef void (*pvgpu_log_callback)(void *user, enum pvgpu_log_level level, const char *line);

/*
 * Sends lines of `level` and above to `callback`; with NULL to standard error, where they go with level INFO until this
 * is called. One log for the process. Once this returns, the callback before is not running and is called no more.
 *
 * -EINVAL: no such level.
 */
PVGPU_API int pvgpu_set_log(pvgpu_log_callback callback, void *user, enum pvgpu_log_level level);

/* ---- the host's Vulkan ---- */

struct pvgpu_host;

struct pvgpu_host_options {
  size_t size; /* sizeof(struct pvgpu_host_options) */
  /* The file of the Vulkan loader; NULL: $PVGPU_VULKAN_LOADER, else the system's (libvulkan.so.1; libvulkan.1.dylib, libMoltenVK.dylib). */
  const char *vulkan_loader;
  /* What guests see of this host's GPUs, in their order: each a UUID, a PCI address, a part of a name or an index, as
   * `pvgpu serve --gpu` takes it. None: all of them. The strings are copied. */
  const char *const *gpus;
  size_t gpu_count;
};

/*
 * Loads the driver and tries out how memory can be shared with guests: a second or so, waited for. `options` may be
 * NULL: all as by default. On success *host is what devices are created with; else it is NULL.
 *
 * -ENODEV: no loader, no driver, no GPU that was asked for, or no way to share its memory. The log says which, and
 * what to do about it.
 */
PVGPU_API int pvgpu_host_open(const struct pvgpu_host_options *options, struct pvgpu_host **host);

/*
 * Gives `host` back, of which no device may be left. The driver's code stays loaded until the process ends. NULL is fine.
 *
 * -EBUSY: devices of it exist.
 */
PVGPU_API int pvgpu_host_close(struct pvgpu_host *host);

/* ---- what guests show ---- */

/* The four bytes of a pixel as they follow each other in memory. The numbers are those of the virtio specification. */
enum pvgpu_format {
  PVGPU_FORMAT_B8G8R8A8 = 1,
  PVGPU_FORMAT_B8G8R8X8 = 2,
  PVGPU_FORMAT_A8R8G8B8 = 3,
  PVGPU_FORMAT_X8R8G8B8 = 4,
  PVGPU_FORMAT_R8G8B8A8 = 67,
  PVGPU_FORMAT_X8B8G8R8 = 68,
  PVGPU_FORMAT_A8B8G8R8 = 121,
  PVGPU_FORMAT_R8G8B8X8 = 134
};

struct pvgpu_rect {
  uint32_t x, y, width, height; /* pixels */
};

/* A picture. It is the library's or the guest's: it may change while it is read, and is gone when the callback returns. */
struct pvgpu_pixels {
  size_t size;            /* of this structure in the library's version */
  const void *pixels;     /* of the top left */
  uint32_t width, height; /* pixels */
  uint32_t stride;        /* bytes from one line to the next */
  uint32_t format;        /* enum pvgpu_format */
  /* The file that they lie in, from `fd_offset` on; -1: in none. It is the library's: who needs it longer duplicates it. */
  int32_t fd;
  uint32_t reserved;
  uint64_t fd_offset;
};

/* What a guest is told that a display's size is, in pixels: from 64 to 8192 each. It may show pictures of other sizes. */
struct pvgpu_display {
  uint32_t width, height;
};
#define PVGPU_DISPLAY_COUNT_MAX 16

/* ---- the device ---- */

/* What a bus shows of the device: virtio device id 16, two queues (control, cursor), 16 bytes of config space, and the
 * shared memory region (SHM id) that is the window. */
#define PVGPU_VIRTIO_ID 16
#define PVGPU_QUEUE_COUNT 2
#define PVGPU_QUEUE_SIZE_MAX 32768
#define PVGPU_CONFIG_BYTES 16
#define PVGPU_WINDOW_SHM_ID 1

struct pvgpu_device;

struct pvgpu_device_callbacks {
  size_t size; /* sizeof(struct pvgpu_device_callbacks) */
  void *user;  /* the first argument of each */

  /* Tell the driver that there is something in `queue`: raise its interrupt. Required. */
  void (*interrupt)(void *user, uint16_t queue);

  /* The guest's driver broke the rules of `queue`, which does nothing more until the device is reset. A VMM sets
   * DEVICE_NEEDS_RESET in the device's status. May be NULL. */
  void (*queue_broken)(void *user, uint16_t queue);

  /* Make `length` bytes of the file `fd`, from `fd_offset`, appear at `offset` of the window, readable and writable (mmap with
   * MAP_SHARED | MAP_FIXED, if the window is memory of this process). All are multiples of the host's page size; the range
   * is in the window and nothing is mapped in it. `fd` is the library's and may be closed after the callback; who needs it longer
   * duplicates it. Returns 0, or anything else if it cannot be done, which the guest is told. Required. */
  int (*map)(void *user, uint64_t offset, uint64_t length, int fd, uint64_t fd_offset);

  /* Take away what `map` put there, exactly. When it returns the guest must not reach the file there any more. Called
   * by a reset too, and by pvgpu_device_destroy. Returns as `map` does; the place counts as free either way. Required. */
  int (*unmap)(void *user, uint64_t offset, uint64_t length);

  /* For a VMM that does not tell regions by pvgpu_device_add_memory: returns where the guest's memory at `address` lies
   * in this process and sets *contiguous to how many bytes follow there (at most `length` are used), or returns NULL if the
   * guest has no memory there. Asked for what no region holds. What was returned must stay accessible until the device has been
   * reset or destroyed: who takes memory away from a running guest uses regions. May be NULL. */
  void *(*find_memory)(void *user, uint64_t address, uint64_t length, uint64_t *contiguous);

  /* Tell the driver that the config space has changed: raise the configuration change interrupt. May be NULL. */
  void (*config_changed)(void *user);

  /* Display `scanout` shows `pixels`, of which what is in `damage` is new; `damage` is never empty, and with a new size all of
   * them. The guest waits until this returns. Required of devices with displays; who has none gets none of the
   * following calls. */
  void (*show)(void *user, uint32_t scanout, const struct pvgpu_pixels *pixels, const struct pvgpu_rect *damage);

  /* It shows nothing any more; also by a reset, and by pvgpu_device_destroy. May be NULL. */
  void (*blank)(void *user, uint32_t scanout);

  /* The pointer looks like `pixels`, 64 x 64, whose colours are multiplied with alpha already, and points with the pixel at
   * hot_x, hot_y of them. NULL: there is no pointer. May be NULL. */
  void (*set_cursor)(void *user, uint32_t scanout, const struct pvgpu_pixels *pixels, uint32_t hot_x, uint32_t hot_y);

  /* The pointer points to the pixel at x, y of the display, or outside of it. May be NULL. */
  void (*move_cursor)(void *user, uint32_t scanout, int32_t x, int32_t y);
};

struct pvgpu_device_options {
  size_t size; /* sizeof(struct pvgpu_device_options) */
  /* Bytes of the window, in which guests map memory of the host; a multiple of the host's page size, at least one page. It takes
   * addresses, not memory; what all processes of a guest have mapped at a time must fit in. 4 GiB is a good value. */
  uint64_t window_bytes;
  /* The guest's displays, one scanout each; copied. None: the guest has no display on this device. */
  const struct pvgpu_display *displays;
  size_t display_count;
};

/*
 * Makes a device and starts its thread. `host` must be there until the device is destroyed; the structures are
 * copied. On success *device is the device, as after power-on; else it is NULL.
 *
 * -EINVAL: a required callback is missing, window_bytes is of no use, or a display has an impossible size.
 * -EAGAIN: the system gives no further thread.  -EMFILE: it gives no further file descriptor.
 */
PVGPU_API int pvgpu_device_create(struct pvgpu_host *host, const struct pvgpu_device_options *options,
                                  const struct pvgpu_device_callbacks *callbacks, struct pvgpu_device **device);

/*
 * Ends all that the guest has on this device (which may wait for the driver to finish its work), takes its mappings out of the
 * window, and frees it. No other call for this device may be under way or follow. NULL is fine.
 */
PVGPU_API int pvgpu_device_destroy(struct pvgpu_device *device);

/*
 * As after power-on: contexts, resources and mappings are gone, queues are stopped, no feature is accepted, and no request that
 * was under way is answered. Memory regions stay. May wait for the driver to finish the guest's work.
 */
PVGPU_API int pvgpu_device_reset(struct pvgpu_device *device);

/*
 * Display `scanout` has another size now (the user resized its window, say): the guest is told, by config_changed, and may or may not
 * follow.
 *
 * -EINVAL: there is no such display, or it cannot have that size.
 */
PVGPU_API int pvgpu_device_set_display_size(struct pvgpu_device *device, uint32_t scanout, uint32_t width, uint32_t height);

/* ---- guest memory ---- */

/*
 * `bytes` bytes of the guest's memory, from guest-physical `address`, lie at `host` in this process, readable and
 * writable, until they are removed. Address and length are multiples of 4096, `host` is aligned to 16 bytes. A queue's
 * rings must each lie within one region.
 *
 * -EINVAL: misaligned, empty, or past the end of all addresses.  -EEXIST: overlaps a region that is there.
 */
PVGPU_API int pvgpu_device_add_memory(struct pvgpu_device *device, uint64_t address, void *host, uint64_t bytes);

/*
 * Removes the region that begins at `address`. Once this returns the device reaches for nothing in it; requests whose
 * buffers were there are answered into nowhere.
 *
 * -ENOENT: no region begins there.  -EBUSY: a started queue has its rings in it.
 */
PVGPU_API int pvgpu_device_remove_memory(struct pvgpu_device *device, uint64_t address);

/* ---- what the driver sees ---- */

/* The feature bits that the device offers; the VMM adds the bus's own. Waits for nothing. 0 for a null pointer. */
PVGPU_API uint64_t pvgpu_device_features(const struct pvgpu_device *device);

/*
 * The driver set FEATURES_OK with these of the device's features. Once between resets, before queues are started.
 *
 * -EINVAL: a feature that was not offered, or VIRTIO_F_VERSION_1 (bit 32) is missing: refuse FEATURES_OK.
 * -EBUSY: a queue is started.
 */
PVGPU_API int pvgpu_device_accept_features(struct pvgpu_device *device, uint64_t features);

/* Reads `bytes` bytes of the config space. Those outside it read as zeros. */
PVGPU_API int pvgpu_device_read_config(struct pvgpu_device *device, uint32_t offset, void *out, size_t bytes);

/* Writes to the config space. What cannot be written stays as it is, without an error. */
PVGPU_API int pvgpu_device_write_config(struct pvgpu_device *device, uint32_t offset, const void *in, size_t bytes);

/* ---- queues ---- */

/* A split virtqueue as the driver has set it up, with guest-physical addresses. */
struct pvgpu_queue {
  size_t size;          /* sizeof(struct pvgpu_queue) */
  uint16_t descriptors; /* how many: a power of two, at most PVGPU_QUEUE_SIZE_MAX */
  uint16_t next;        /* the available entry to go on with: 0, or what pvgpu_device_stop_queue gave */
  uint32_t reserved;    /* 0 */
  uint64_t descriptor_table, available_ring, used_ring;
};

/*
 * Takes `queue` (0: control, 1: cursor) into use, and serves what is in it already.
 *
 * -EINVAL: the layout is of no use, or the features have not been accepted.  -EFAULT: a ring is not in the guest's memory.
 * -EBUSY: it is started.
 */
PVGPU_API int pvgpu_device_start_queue(struct pvgpu_device *device, uint16_t queue, const struct pvgpu_queue *layout);

/*
 * Takes no further request from `queue`, and reaches for its rings no more. What is under way is answered when the queue is started
 * again with *next (which may be NULL), unless the device is reset before. A queue that is not started may be stopped.
 */
PVGPU_API int pvgpu_device_stop_queue(struct pvgpu_device *device, uint16_t queue, uint16_t *next);

/*
 * The driver notified `queue`: there may be something in it. Waits for nothing, and is cheap enough for the thread of a virtual
 * processor. A queue that is not started ignores it.
 */
PVGPU_API int pvgpu_device_kick(struct pvgpu_device *device, uint16_t queue);

#ifdef __cplusplus
}
#endif

#endif
