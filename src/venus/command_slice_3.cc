#define PVGPU_COMMAND_SLICE 3
#include "venus/command_slice.inc"
