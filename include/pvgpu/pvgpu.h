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
 * A VMM with a virtio-gpu device of its own uses a renderer instead of a device: see "contexts without a device" below.
 *
 * Not there yet: saving and restoring a device. Run on Linux only; it builds for macOS.
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
 * Gives `host` back, of which no device and no renderer may be left. The driver's code stays loaded until the process ends.
 * NULL is fine.
 *
 * -EBUSY: devices or renderers of it exist.
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

/* What a bus shows of the device: virtio device id 16, two queues (control, cursor), the config space, and the shared memory
 * region (SHM id) that is the window. */
#define PVGPU_VIRTIO_ID 16
#define PVGPU_QUEUE_COUNT 2
#define PVGPU_QUEUE_SIZE_MAX 32768
#define PVGPU_CONFIG_BYTES 20
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
   * duplicates it. Returns 0, or anything else if it cannot be done, which the guest is told. Required, unless there is
   * map_pointer. */
  int (*map)(void *user, uint64_t offset, uint64_t length, int fd, uint64_t fd_offset);

  /* Take away what `map` or `map_pointer` put there, exactly. When it returns the guest must not reach it there any more. Called
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

  /* Instead of `map`, which is not called then: make the `length` bytes at `pointer` of this process appear at `offset` of the
   * window, readable and writable (hv_vm_map, or a memory slot of KVM's). `pointer` begins a page of the host's; offset and
   * length are multiples of map_alignment (see pvgpu_device_options), and what the bytes lie in is padded to it. The bytes are
   * the library's or the driver's, and stay there until `unmap` of that place returns, whatever the guest does meanwhile. The
   * guest writes them at any moment. Returns as `map` does. May be NULL. */
  int (*map_pointer)(void *user, uint64_t offset, uint64_t length, void *pointer);

  /* What the guest has submitted up to its fence `fence_id` is done, on the timeline `ring_idx` of context `ctx_id`, or, with
   * ring_idx -1 and ctx_id 0, on the device's own one. The guest is told after this returns. On each timeline they come in the
   * guest's order; those that a reset or pvgpu_device_destroy finds unfinished do not come. For a VMM that paces its display or
   * measures; none has to. May be NULL. */
  void (*fence)(void *user, uint32_t ctx_id, int32_t ring_idx, uint64_t fence_id);
};

enum pvgpu_device_flags {
  /* Offer the driver packed virtqueues (VIRTIO_F_RING_PACKED, bit 34): the VMM knows what to do with them, see pvgpu_queue. */
  PVGPU_DEVICE_PACKED_QUEUES = 1
};

struct pvgpu_device_options {
  size_t size; /* sizeof(struct pvgpu_device_options) */
  /* Bytes of the window, in which guests map memory of the host; a multiple of map_alignment, more than 0. It takes
   * addresses, not memory; what all processes of a guest have mapped at a time must fit in. 4 GiB is a good value. */
  uint64_t window_bytes;
  /* The guest's displays, one scanout each; copied. None: the guest has no display on this device. */
  const struct pvgpu_display *displays;
  size_t display_count;
  /* Bytes: what is mapped in the window begins and ends at multiples of it. 0: the host's page size. With map_pointer it may be
   * less, a power of two of at least 4096, if the hypervisor maps so finely (on macOS, with an intermediate granule of 4 KiB).
   * Where it is more than 4096, guests are told, by VIRTIO_GPU_F_BLOB_ALIGNMENT; those with pages of 4 KiB must know that
   * feature (Linux 7.2 and a Mesa that asks for it), or most of their mappings are refused. */
  uint32_t map_alignment;
  uint32_t flags; /* enum pvgpu_device_flags */
  /* The path of the pvgpu program that was built with this library: each context, that is each process of the guest that uses
   * the GPU, then lives in a process of its own, which that program serves. A guest that crashes the host's driver loses that
   * context, and the VMM does not notice. These processes have nothing of the VMM's but standard error, to which they write
   * their log; they end with their contexts, and with this process. One more waits for the next context, with the host's driver
   * loaded, and ends with the device. This process must not ignore SIGCHLD, nor reap children that it did
   * not start. NULL: contexts live in threads of this process. Copied. */
  const char *worker;
};

/*
 * Makes a device and starts its thread. `host` must be there until the device is destroyed; the structures are
 * copied. On success *device is the device, as after power-on; else it is NULL.
 *
 * -EINVAL: a required callback is missing, window_bytes or map_alignment is of no use, or a display has an impossible size.
 * -EAGAIN: the system gives no further thread.  -EMFILE: it gives no further file descriptor.  -ENOENT: `worker` is no pvgpu
 * program of this version.
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
 * Display `scanout` has another size now (the user resized its window, say): the guest is told, by config_changed, and may or
 * may not follow.
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

/*
 * A virtqueue as the driver has set it up, with guest-physical addresses: a packed one if the driver has accepted
 * VIRTIO_F_RING_PACKED, else a split one. Of a packed queue descriptor_table is the ring, available_ring the driver's event
 * suppression structure, and used_ring the device's, which a bus names queue_driver and queue_device.
 */
struct pvgpu_queue {
  size_t size;          /* sizeof(struct pvgpu_queue) */
  uint16_t descriptors; /* how many: at most PVGPU_QUEUE_SIZE_MAX, and of a split queue a power of two */
  /* Where to go on. Of a split queue: the available entry, 0 or what pvgpu_device_stop_queue gave, and next_used is 0. Of a
   * packed one: the descriptors to be taken and to be given back next, with their wrap counters in bit 15;
   * PVGPU_PACKED_QUEUE_START both, or what pvgpu_device_stop_packed_queue gave. */
  uint16_t next;
  uint16_t next_used;
  uint16_t reserved; /* 0 */
  uint64_t descriptor_table, available_ring, used_ring;
};
#define PVGPU_PACKED_QUEUE_START 0x8000

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

/* The same for a packed queue, of whose two places either may be NULL. */
PVGPU_API int pvgpu_device_stop_packed_queue(struct pvgpu_device *device, uint16_t queue, uint16_t *next, uint16_t *next_used);

/*
 * The driver notified `queue`: there may be something in it. Waits for nothing, and is cheap enough for the thread of a virtual
 * processor. A queue that is not started ignores it.
 */
PVGPU_API int pvgpu_device_kick(struct pvgpu_device *device, uint16_t queue);

/* ---- contexts without a device ---- */

/*
 * For a VMM that has a virtio-gpu device of its own, and lacks what executes the guests' commands. It passes on what the guest
 * asks of the device:
 *
 *     GET_CAPSET                            pvgpu_get_capset
 *     CTX_CREATE, CTX_DESTROY               pvgpu_context_create, pvgpu_context_destroy
 *     SUBMIT_3D                             pvgpu_context_submit; with a fence also pvgpu_context_fence, whose callback is when
 *                                           the guest is answered
 *     RESOURCE_CREATE_BLOB (of the host)    pvgpu_context_create_blob
 *     RESOURCE_MAP_BLOB                     pvgpu_blob_get_info for a file, or pvgpu_blob_map for a pointer
 *     CTX_ATTACH_RESOURCE                   pvgpu_context_attach, in contexts other than the one that made the resource
 *     CTX_DETACH_RESOURCE                   pvgpu_context_detach
 *     RESOURCE_UNREF                        pvgpu_context_detach in each context that knows it; pvgpu_blob_destroy
 *
 * examples/renderer.c uses all of it.
 *
 * Threads. Each renderer has a thread of its own, on which the callbacks of all its contexts come, one at a time. In a callback
 * only pvgpu_context_submit, pvgpu_context_fence and the functions of blobs may be called; the others return -EDEADLK. Calls
 * for one context take effect in the order in which they are made.
 */
struct pvgpu_renderer;
struct pvgpu_context;
struct pvgpu_blob;

#define PVGPU_CAPSET_VENUS 4
#define PVGPU_CAPSET_VENUS_BYTES 160
#define PVGPU_RING_COUNT 64
#define PVGPU_SUBMIT_BYTES_MAX ((size_t)1 << 24)

/*
 * Writes the capset `capset_id` to `out`, which has room for `bytes` bytes. There is one: PVGPU_CAPSET_VENUS, version 0, of
 * PVGPU_CAPSET_VENUS_BYTES bytes, for GET_CAPSET_INFO. Any thread; waits for nothing.
 *
 * -ENOENT: there is no such capset, or version.  -ENOSPC: it has more bytes.
 */
PVGPU_API int pvgpu_get_capset(uint32_t capset_id, uint32_t version, void *out, size_t bytes);

struct pvgpu_renderer_callbacks {
  size_t size; /* sizeof(struct pvgpu_renderer_callbacks) */
  void *user;  /* the first argument of each */

  /* What was submitted to the context before pvgpu_context_fence(ring_idx, fence_id) is done. `context_user` is the context's.
   * Comes once for each call, for one ring_idx in the order of the calls, perhaps before the call has returned. Required. */
  void (*fence)(void *user, void *context_user, uint32_t ring_idx, uint64_t fence_id);

  /* The context has failed: the guest's process broke the protocol, the host ran out of something, or
   * its worker has ended. It executes nothing any more, its fences are signalled at once, and Mesa in the guest reports a lost
   * device. Other contexts do not notice. Noticed when something is asked of the context; comes once. What is left to do is
   * pvgpu_context_destroy, when the guest destroys it. May be NULL. */
  void (*context_lost)(void *user, void *context_user);
};

struct pvgpu_renderer_options {
  size_t size;        /* sizeof(struct pvgpu_renderer_options) */
  const char *worker; /* as in pvgpu_device_options */
};

/*
 * Makes the contexts' place of one virtual machine, and starts its thread. `host` must be there until it is destroyed; the
 * structures are copied. `options` may be NULL. On success *renderer is the renderer; else it is NULL.
 *
 * -EINVAL: a required callback is missing.  -EAGAIN: the system gives no further thread.  -EMFILE: it gives no further file
 * descriptor.
 * -ENOENT: `worker` is no pvgpu program of this version.
 */
PVGPU_API int pvgpu_renderer_create(struct pvgpu_host *host, const struct pvgpu_renderer_options *options,
                                    const struct pvgpu_renderer_callbacks *callbacks, struct pvgpu_renderer **renderer);

/*
 * Frees `renderer`, of which no context may be left. No other call for it may be under way or follow. NULL is fine.
 *
 * -EBUSY: contexts of it exist.
 */
PVGPU_API int pvgpu_renderer_destroy(struct pvgpu_renderer *renderer);

struct pvgpu_context_options {
  size_t size;        /* sizeof(struct pvgpu_context_options) */
  uint32_t capset_id; /* PVGPU_CAPSET_VENUS: bits 0 to 7 of the guest's context_init */
  uint32_t reserved;  /* 0 */
  const char *name;   /* of the guest's process, for the log; copied. NULL: none is known */
  void *user;         /* the second argument of the callbacks */
};

/*
 * Makes a context: what a process of the guest gets when it opens its GPU. On success *context is the context; else it is NULL.
 *
 * -EINVAL: not a capset that there is.  -EAGAIN: this host cannot serve a further one; the log says why.
 */
PVGPU_API int pvgpu_context_create(struct pvgpu_renderer *renderer, const struct pvgpu_context_options *options,
                                   struct pvgpu_context **context);

/*
 * Ends the context, which may wait for the driver to finish its work, and frees it. Fences that still wait are signalled before
 * this returns, since nothing is left that they could wait for. Its blobs stay. No other call for it may be under way or
 * follow. NULL is fine.
 */
PVGPU_API int pvgpu_context_destroy(struct pvgpu_context *context);

/*
 * Has the context execute `bytes` bytes of commands, which are copied. Waits for nothing: a fence tells when it is done,
 * context_lost that it went wrong.
 *
 * -E2BIG: more than PVGPU_SUBMIT_BYTES_MAX. (Mesa's are below 1 KiB; what is larger travels in blobs.)
 */
PVGPU_API int pvgpu_context_submit(struct pvgpu_context *context, const void *commands, size_t bytes);

/*
 * Asks for the callback `fence`, with these numbers, once all that was submitted before is done on timeline `ring_idx`: 0 is
 * that of the processor (commands are executed), 1 to 63 those of the guest's VkQueues (the GPU has finished). `fence_id` is
 * the caller's. Waits for nothing.
 *
 * -EINVAL: ring_idx is PVGPU_RING_COUNT or more.
 */
PVGPU_API int pvgpu_context_fence(struct pvgpu_context *context, uint32_t ring_idx, uint64_t fence_id);

/* What the guest may do with a blob; the numbers are those of the virtio specification. */
enum pvgpu_blob_flags { PVGPU_BLOB_MAPPABLE = 1, PVGPU_BLOB_SHAREABLE = 2, PVGPU_BLOB_CROSS_DEVICE = 4 };

struct pvgpu_blob_request {
  size_t size;          /* sizeof(struct pvgpu_blob_request) */
  uint32_t resource_id; /* the guest's: not 0, and not one that the context knows */
  uint32_t flags;       /* enum pvgpu_blob_flags */
  uint64_t blob_id;     /* 0: plain shared memory; else the guest's number of a VkDeviceMemory */
  uint64_t bytes;       /* more than 0 */
};

/*
 * Makes the memory of a blob of the host's, which the context knows by resource_id from then on. Waits for the context to come
 * to it. On success *blob is the memory, which stays until pvgpu_blob_destroy, whatever becomes of the context; else it is
 * NULL.
 *
 * -EIO: the context has failed, now or before.
 */
PVGPU_API int pvgpu_context_create_blob(struct pvgpu_context *context, const struct pvgpu_blob_request *request,
                                        struct pvgpu_blob **blob);

/*
 * Makes a resource that another context made known here, under the same number: `bytes` bytes of the file `fd`, which stays the
 * caller's (that of pvgpu_blob_get_info). What is known already stays as it is.
 */
PVGPU_API int pvgpu_context_attach(struct pvgpu_context *context, uint32_t resource_id, int fd, uint64_t bytes);

/* The context knows the resource no more, and the number is free. Its memory lives on while something uses it. */
PVGPU_API int pvgpu_context_detach(struct pvgpu_context *context, uint32_t resource_id);

/* How the guest is to map a blob: map_info of the virtio specification. */
enum pvgpu_map_info { PVGPU_MAP_CACHED = 1, PVGPU_MAP_WRITE_COMBINED = 3 };

struct pvgpu_blob_info {
  size_t size;       /* sizeof(struct pvgpu_blob_info), set by the caller */
  uint64_t bytes;    /* that can be mapped: whole pages of the host's, at least as many as were asked for. 0: none */
  int32_t fd;        /* the file that they lie in, from its beginning; the library's. -1: memory that nothing can map */
  uint32_t map_info; /* enum pvgpu_map_info */
};

/* Tells what there is to be mapped of a blob. Waits for nothing. */
PVGPU_API int pvgpu_blob_get_info(const struct pvgpu_blob *blob, struct pvgpu_blob_info *info);

/*
 * Sets *pointer to where the bytes of the blob (as many as pvgpu_blob_get_info tells) lie in this process, readable and
 * writable, from the beginning of a page, until pvgpu_blob_destroy. Called again, it gives the same. One call for a blob at a
 * time. Waits for nothing.
 *
 * -ENOTSUP: memory that nothing can map.  -ENOMEM: the system maps no more; the log says why.
 */
PVGPU_API int pvgpu_blob_map(struct pvgpu_blob *blob, void **pointer);

/* Gives the memory back. Nothing may use its file or its pointer any more. Any thread. NULL is fine. */
PVGPU_API int pvgpu_blob_destroy(struct pvgpu_blob *blob);

#ifdef __cplusplus
}
#endif

#endif
