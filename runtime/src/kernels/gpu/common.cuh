// What every kernel begins with: short names, and sums over a warp and a block.
//
// A block has a multiple of 32 threads. All its threads must call a function named `block_…`, and all get the same
// bits from it: partial sums are added in one order, whatever order the threads ran in.
typedef unsigned char u8;
typedef unsigned int u32;
typedef unsigned long long u64;

#define ALL_LANES 0xffffffffu

__device__ __forceinline__ float infinity() { return __uint_as_float(0x7f800000u); }

__device__ __forceinline__ u64 thread_in_grid() { return (u64)blockIdx.x * blockDim.x + threadIdx.x; }
__device__ __forceinline__ u64 threads_in_grid() { return (u64)gridDim.x * blockDim.x; }

template <class T> __device__ __forceinline__ T warp_sum(T value) {
    for (int apart = 16; apart > 0; apart >>= 1) value += __shfl_xor_sync(ALL_LANES, value, apart);
    return value;
}

__device__ __forceinline__ float warp_max(float value) {
    for (int apart = 16; apart > 0; apart >>= 1) value = fmaxf(value, __shfl_xor_sync(ALL_LANES, value, apart));
    return value;
}

template <class T> __device__ T block_sum(T value) {
    __shared__ T parts[32];
    value = warp_sum(value);
    __syncthreads(); // whoever still reads the parts of the last sum
    if (threadIdx.x % 32 == 0) parts[threadIdx.x / 32] = value;
    __syncthreads();
    T total = parts[0];
    for (u32 warp = 1; warp < blockDim.x / 32; ++warp) total += parts[warp];
    return total;
}

__device__ inline float block_max(float value) {
    __shared__ float parts[32];
    value = warp_max(value);
    __syncthreads();
    if (threadIdx.x % 32 == 0) parts[threadIdx.x / 32] = value;
    __syncthreads();
    float top = parts[0];
    for (u32 warp = 1; warp < blockDim.x / 32; ++warp) top = fmaxf(top, parts[warp]);
    return top;
}

// ln Σ e^x of what one thread has seen so far: a maximum, and the sum beside it.
struct Online {
    float top;
    double sum;
};

__device__ __forceinline__ Online nothing_yet() {
    Online none = {-infinity(), 0.0};
    return none;
}

__device__ __forceinline__ void see(Online &so_far, float x) {
    if (x > so_far.top) {
        so_far.sum = so_far.sum * (double)expf(so_far.top - x) + 1.0;
        so_far.top = x;
    } else if (x > -infinity()) {
        so_far.sum += (double)expf(x - so_far.top);
    } else if (x != x) {
        so_far.sum += (double)x;
    }
}

// ln Σ e^x of what all threads of the block have seen; -infinity of nothing.
__device__ inline double block_log_sum(Online mine) {
    float top = block_max(mine.top);
    bool empty = mine.top == -infinity();
    double sum = block_sum(empty ? mine.sum : mine.sum * exp((double)mine.top - (double)top));
    if (top == -infinity()) return sum == 0.0 ? (double)top : sum;
    return (double)top + log(sum);
}

// A number for each float, in the order of the floats; -0 and 0 have one number.
__device__ __forceinline__ u32 ordered(float x) {
    u32 bits = __float_as_uint(x + 0.0f);
    return bits & 0x80000000u ? ~bits : bits | 0x80000000u;
}

// The k largest numbers of a row: all above `floor`, and of those equal to it the ids up to `last`.
struct Cut {
    u32 floor, last;
    __device__ bool has(u32 id, float x) const {
        const u32 number = ordered(x);
        return number > floor || (number == floor && id <= last);
    }
};

__device__ inline Cut largest(const float *row, u32 width, u32 k) {
    __shared__ u32 counts[256], answer[2];
    Cut cut = {0, 0xffffffffu};
    if (k >= width) return cut;
    u32 left = k; // to be found among those that begin with `floor`
    for (int shift = 24; shift >= 0; shift -= 8) {
        __syncthreads();
        for (u32 i = threadIdx.x; i < 256; i += blockDim.x) counts[i] = 0;
        __syncthreads();
        for (u32 i = threadIdx.x; i < width; i += blockDim.x) {
            const u32 number = ordered(row[i]);
            if (shift == 24 || number >> (shift + 8) == cut.floor >> (shift + 8)) atomicAdd(&counts[number >> shift & 255], 1u);
        }
        __syncthreads();
        if (threadIdx.x == 0) {
            u32 digit = 255, still = left;
            while (digit > 0 && counts[digit] < still) still -= counts[digit--];
            answer[0] = digit;
            answer[1] = still;
        }
        __syncthreads();
        cut.floor |= answer[0] << shift;
        left = answer[1];
    }
    // the id of the equal number `left`: found bit by bit, as the lowest with so many equals up to it
    u32 low = 0, high = width - 1;
    while (low < high) {
        const u32 middle = low + (high - low) / 2;
        u32 equals = 0;
        for (u32 i = threadIdx.x; i <= middle; i += blockDim.x) equals += ordered(row[i]) == cut.floor;
        if (block_sum(equals) >= left) high = middle;
        else low = middle + 1;
    }
    cut.last = low;
    return cut;
}
