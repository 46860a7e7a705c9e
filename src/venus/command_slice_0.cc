#define PVGPU_COMMAND_SLICE 0
#include "venus/command_slice.inc"
