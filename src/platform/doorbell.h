// What wakes another thread or process that polls, again and again: readable from a ring until the next answer.
// Any thread may ring; one answers.
#pragma once

#include "platform/error.h"
#include "platform/fd.h"

namespace pvgpu::platform {

Result<UniqueFd> create_doorbell();
// `fd` may be one that another process made (an eventfd, on Linux).
void ring_doorbell(int fd);
// After it was seen to be readable. False, with errno set, if this is no doorbell.
bool answer_doorbell(int fd);

}  // namespace pvgpu::platform
