#define PVGPU_COMMAND_SLICE 1
#include "venus/command_slice.inc"
