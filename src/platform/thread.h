// What a thread can say about itself to the system. Each call concerns the calling thread only.
#pragma once

#include <cstdint>

namespace pvgpu::platform {

// Shown by ps and debuggers; cut to 15 characters where the system has that limit.
void set_thread_name(const char* name);
// Asks for the nice value (-20 to 19) for this thread alone. False if the system does not allow it.
bool set_thread_nice(int nice);
// Makes this thread's sleeps end on time. Systems lengthen them (Linux by 50 µs) to wake up for several threads at once.
void set_thread_punctual();
// Processors that this process may run on, at least 1.
unsigned usable_processors();

}  // namespace pvgpu::platform
