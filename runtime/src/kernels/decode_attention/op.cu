// One new position a row against the keys and values before it: those of its prompt, then its own.

// A row of the step.
struct Place {
    u32 row;    // in the cache
    u32 added;  // positions of its own before this one
    u32 before; // where its prompt begins, in positions of all prompts
    u32 prompt; // how long the prompt is
};

// Rotates the new keys to their positions and keeps them with the values: a block for each head of each row.
extern "C" __global__ void decode_keep(const float *k, const float *v, const Place *places, const float *cos,
                                       const float *sin, float *keys, float *values, u32 room, u32 half) {
    const Place place = places[blockIdx.x];
    const u64 from = ((u64)blockIdx.x * gridDim.y + blockIdx.y) * 2 * half;
    const u64 to = (((u64)place.row * room + place.added) * gridDim.y + blockIdx.y) * 2 * half;
    const u64 turn = (u64)(place.prompt + place.added) * half;
    for (u32 i = threadIdx.x; i < half; i += blockDim.x) {
        const float a = k[from + i], b = k[from + half + i], c = cos[turn + i], s = sin[turn + i];
        keys[to + i] = a * c - b * s;
        keys[to + half + i] = b * c + a * s;
        values[to + i] = v[from + i];
        values[to + half + i] = v[from + half + i];
    }
}

// A block of 4 warps for each row and query head; a warp takes every fourth position, a lane every 32nd value of it.
extern "C" __global__ void __launch_bounds__(128)
    decode_attention(const float *q, const Place *places, const float *cos, const float *sin, float scale,
                     const float *prompt_keys, const float *prompt_values, const float *keys, const float *values, float *out,
                     u32 room, u32 group, u32 width) {
    const u32 LANE_VALUES = 8; // of heads as wide as 256
    __shared__ float query[256], tops[4], sums[4], mixes[4][256];
    const Place place = places[blockIdx.x];
    const u32 head = blockIdx.y, heads = gridDim.y, shared = head / group, half = width / 2, narrow = heads / group * width;
    const u32 warp = threadIdx.x / 32, lane = threadIdx.x % 32;
    const u32 seen = place.prompt + place.added + 1;
    const u64 at = ((u64)blockIdx.x * heads + head) * width, turn = (u64)(seen - 1) * half;
    for (u32 i = threadIdx.x; i < half; i += blockDim.x) {
        const float a = q[at + i], b = q[at + half + i], c = cos[turn + i], s = sin[turn + i];
        query[i] = (a * c - b * s) * scale;
        query[half + i] = (b * c + a * s) * scale;
    }
    __syncthreads();
    float top = -infinity(), sum = 0.0f, mix[LANE_VALUES];
    for (u32 n = 0; n < LANE_VALUES; ++n) mix[n] = 0.0f;
    for (u32 position = warp; position < seen; position += 4) {
        const bool told = position < place.prompt;
        const u64 row = told ? (u64)place.before + position : (u64)place.row * room + position - place.prompt;
        const float *key = (told ? prompt_keys : keys) + row * narrow + shared * width;
        const float *value = (told ? prompt_values : values) + row * narrow + shared * width;
        float score = 0.0f;
        for (u32 d = lane; d < width; d += 32) score += query[d] * key[d];
        score = warp_sum(score);
        const float highest = fmaxf(top, score), shrink = expf(top - highest), weight = expf(score - highest);
        sum = sum * shrink + weight;
        top = highest;
        for (u32 n = 0; n < LANE_VALUES; ++n) {
            const u32 d = lane + 32 * n;
            if (d < width) mix[n] = mix[n] * shrink + weight * value[d];
        }
    }
    for (u32 n = 0; n < LANE_VALUES; ++n)
        if (lane + 32 * n < width) mixes[warp][lane + 32 * n] = mix[n];
    if (lane == 0) tops[warp] = top, sums[warp] = sum;
    __syncthreads();
    const float highest = fmaxf(fmaxf(tops[0], tops[1]), fmaxf(tops[2], tops[3]));
    for (u32 d = threadIdx.x; d < width; d += blockDim.x) {
        float whole = 0.0f, mixed = 0.0f;
        for (u32 w = 0; w < 4; ++w) {
            const float share = expf(tops[w] - highest); // 0 of a warp that saw nothing
            whole += share * sums[w];
            mixed += share * mixes[w][d];
        }
        out[at + d] = mixed / whole;
    }
}
