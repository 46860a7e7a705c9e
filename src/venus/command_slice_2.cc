#define PVGPU_COMMAND_SLICE 2
#include "venus/command_slice.inc"
