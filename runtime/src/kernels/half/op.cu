// Floats as halves (IEEE 754 binary16): rounded to the nearest, of two equally near ones to the even.
//
// In whole numbers, for NVRTC has no `cuda_fp16.h`; so it is exact wherever it runs, subnormal numbers included. What is
// 65520 or more becomes infinite, and what is no number stays none.
typedef unsigned short u16;

__device__ __forceinline__ u16 half_of(float x) {
    const u32 bits = __float_as_uint(x), sign = bits >> 16 & 0x8000u, size = bits & 0x7fffffffu;
    if (size > 0x7f800000u) return (u16)(sign | 0x7e00u | (size >> 13 & 0x3ffu));
    if (size >= 0x47800000u) return (u16)(sign | 0x7c00u); // 65536 and more
    u32 kept, rest, middle;
    if (size >= 0x38800000u) { // 2^-14 and more: normal; the exponent is counted from 15 and not from 127
        kept = (size >> 13) - (112u << 10);
        rest = size & 0x1fffu;
        middle = 0x1000u;
    } else if (size >= 0x33000000u) { // 2^-25 and more: so many times 2^-24
        const u32 digits = (size & 0x7fffffu) | 0x800000u, dropped = 126u - (size >> 23);
        kept = digits >> dropped;
        rest = digits & ((1u << dropped) - 1u);
        middle = 1u << (dropped - 1u);
    } else {
        return (u16)sign;
    }
    // one more may carry into the exponent, and from the largest half to infinity: both are right
    kept += rest > middle || (rest == middle && (kept & 1u));
    return (u16)(sign | kept);
}

extern "C" __global__ void to_half(const float *from, u16 *to, u64 count) {
    for (u64 i = thread_in_grid(); i < count; i += threads_in_grid()) to[i] = half_of(from[i]);
}
