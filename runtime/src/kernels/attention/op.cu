// Rotary positions, and causal attention in blocks with an online softmax.
//
// B rows of queries meet B rows of keys at a time, with 4 · B threads: four neighbours share a row, and each has every
// fourth column of it. D is the widest head a kernel is made for; narrower heads leave the rest at zero.

// Rows of queries that follow each other in one span.
struct Tile {
    u32 row;    // the first one in the batch
    u32 count;  // at most as many as the kernel takes at once
    u32 first;  // the position of the first
    u32 own;    // where the span's own rows begin in the batch
    u32 before; // where the rows begin that it stands after
    u32 after;  // how many these are
    u32 seen;   // positions of the span, where every row sees all of them; otherwise 0
    // positions that its rows see together, and the last that row r sees
    __device__ u32 end() const { return seen ? seen : first + count; }
    __device__ u32 last(u32 r) const { return seen ? seen - 1 : first + r; }
};

// Rows of keys that follow each other in one span, and the tiles of queries that may look at them.
struct Keys {
    u32 row, count, first, tiles, last_tile;
};

__device__ __forceinline__ u32 row_of(const Tile &tile, u32 position) {
    return position < tile.after ? tile.before + position : tile.own + position - tile.after;
}

// Every row rotated to its position and scaled: a block for each head of each row.
extern "C" __global__ void rotate(const float *x, const u32 *positions, const float *cos, const float *sin, float scale,
                                  float *out, u32 half) {
    u64 start = ((u64)blockIdx.x * gridDim.y + blockIdx.y) * 2 * half;
    const float *c = cos + (u64)positions[blockIdx.x] * half, *s = sin + (u64)positions[blockIdx.x] * half;
    for (u32 i = threadIdx.x; i < half; i += blockDim.x) {
        float a = x[start + i], b = x[start + half + i];
        out[start + i] = (a * c[i] - b * s[i]) * scale;
        out[start + half + i] = (b * c[i] + a * s[i]) * scale;
    }
}

// Adds to `to` what a rotated row's gradient, in a row of shared memory, makes of the row's own.
template <int D> __device__ void rotate_back(const float *from, const float *c, const float *s, float scale, float *to,
                                             u32 half, u32 sub) {
    for (u32 i = sub; i < half; i += 4) {
        float a = from[i], b = from[half + i];
        to[i] += (a * c[i] + b * s[i]) * scale;
        to[half + i] += (b * c[i] - a * s[i]) * scale;
    }
}

// Row r of `into` from one head of a row of the batch, zeros beyond it. A row's four threads load it.
template <int D> __device__ __forceinline__ void load(float *into, const float *from, bool there, u32 width, u32 sub) {
    for (u32 d = sub; d < D; d += 4) into[d] = there && d < width ? from[d] : 0.0f;
}

template <int D> __device__ __forceinline__ float dot(const float *a, const float *b) {
    float sum = 0.0f;
    for (int d = 0; d < D; ++d) sum += a[d] * b[d];
    return sum;
}

template <class T> __device__ __forceinline__ T of_row(T value) { // the sum over a row's four threads
    value += __shfl_xor_sync(ALL_LANES, value, 1);
    return value + __shfl_xor_sync(ALL_LANES, value, 2);
}

// out and, for the way back, ln Σ e^score of each row and query head.
template <int D, int B>
__device__ void forward(const float *q, const float *k, const float *v, const Tile *tiles, float *out, float *log_sums,
                        u32 heads, u32 group, u32 width) {
    __shared__ float queries[B][D + 1], others[B][D + 1], weights[B][B + 1];
    const Tile tile = tiles[blockIdx.x];
    const u32 head = blockIdx.y, shared = head / group, narrow = heads / group * width;
    const u32 r = threadIdx.x / 4, sub = threadIdx.x % 4;
    const bool there = r < tile.count;
    load<D>(queries[r], q + ((u64)(tile.row + r) * heads + head) * width, there, width, sub);
    float top = -infinity(), sum = 0.0f, mix[D / 4];
    for (int n = 0; n < D / 4; ++n) mix[n] = 0.0f;
    const u32 seen = tile.end();
    for (u32 start = 0; start < seen; start += B) {
        const u32 key = start + r;
        const u64 at = key < seen ? (u64)row_of(tile, key) * narrow + shared * width : 0;
        __syncthreads(); // the values of the block before
        load<D>(others[r], k + at, key < seen, width, sub);
        __syncthreads();
        float scores[B / 4], highest = top;
        for (int n = 0; n < B / 4; ++n) {
            const u32 column = sub + 4 * n;
            const bool visible = there && start + column <= tile.last(r);
            scores[n] = visible ? dot<D>(queries[r], others[column]) : -infinity();
            highest = fmaxf(highest, scores[n]);
        }
        highest = fmaxf(highest, __shfl_xor_sync(ALL_LANES, highest, 1));
        highest = fmaxf(highest, __shfl_xor_sync(ALL_LANES, highest, 2));
        // a row that is there sees its own key at least, in a block before its last
        const float shrink = highest == -infinity() ? 0.0f : expf(top - highest);
        float more = 0.0f;
        for (int n = 0; n < B / 4; ++n) {
            const float weight = highest == -infinity() ? 0.0f : expf(scores[n] - highest);
            weights[r][sub + 4 * n] = weight;
            more += weight;
        }
        sum = sum * shrink + of_row(more);
        top = highest;
        __syncthreads(); // all have read the keys
        load<D>(others[r], v + at, key < seen, width, sub);
        __syncthreads();
        for (int n = 0; n < D / 4; ++n) {
            float value = mix[n] * shrink;
            for (int j = 0; j < B; ++j) value += weights[r][j] * others[j][sub + 4 * n];
            mix[n] = value;
        }
    }
    if (!there) return;
    float *to = out + ((u64)(tile.row + r) * heads + head) * width;
    for (int n = 0; n < D / 4; ++n)
        if (sub + 4 * n < width) to[sub + 4 * n] = mix[n] / sum;
    if (sub == 0) log_sums[(u64)(tile.row + r) * heads + head] = top + logf(sum);
}

// Weights and gradients of scores of one block of queries against one of keys. Row r of both is a query.
template <int D, int B> struct Pair {
    float weights[B][B + 1], slopes[B][B + 1];
};

template <int D, int B>
__device__ void scores_back(Pair<D, B> &pair, float (*q)[D + 1], float (*g)[D + 1], float (*k)[D + 1], float (*v)[D + 1],
                            const Tile &tile, u32 start, u32 keys, float log_sum, float mean) {
    const u32 r = threadIdx.x / 4, sub = threadIdx.x % 4;
    for (int n = 0; n < B / 4; ++n) {
        const u32 column = sub + 4 * n;
        const bool visible = r < tile.count && column < keys && start + column <= tile.last(r);
        const float weight = visible ? expf(dot<D>(q[r], k[column]) - log_sum) : 0.0f;
        pair.weights[r][column] = weight;
        pair.slopes[r][column] = weight == 0.0f ? 0.0f : weight * (dot<D>(g[r], v[column]) - mean);
    }
}

// The mean of a row's value gradients under its weights: g · out.
__device__ __forceinline__ float mean_of(const float *g, const float *out, bool there, u32 width, u32 sub) {
    float sum = 0.0f;
    if (there)
        for (u32 d = sub; d < width; d += 4) sum += g[d] * out[d];
    return of_row(sum);
}

template <int D, int B>
__device__ void queries_back(const float *q, const float *k, const float *v, const float *out, const float *log_sums,
                             const float *g, const Tile *tiles, const float *cos, const float *sin, float scale, float *g_q,
                             u32 heads, u32 group, u32 width) {
    __shared__ float queries[B][D + 1], gradients[B][D + 1], keys[B][D + 1], values[B][D + 1];
    __shared__ Pair<D, B> pair;
    const Tile tile = tiles[blockIdx.x];
    const u32 head = blockIdx.y, shared = head / group, narrow = heads / group * width;
    const u32 r = threadIdx.x / 4, sub = threadIdx.x % 4;
    const bool there = r < tile.count;
    const u64 at = ((u64)(tile.row + r) * heads + head) * width;
    load<D>(queries[r], q + at, there, width, sub);
    load<D>(gradients[r], g + at, there, width, sub);
    const float mean = mean_of(g + at, out + at, there, width, sub);
    const float log_sum = there ? log_sums[(u64)(tile.row + r) * heads + head] : 0.0f;
    float sum[D / 4];
    for (int n = 0; n < D / 4; ++n) sum[n] = 0.0f;
    const u32 seen = tile.end();
    for (u32 start = 0; start < seen; start += B) {
        const u32 key = start + r;
        const u64 from = key < seen ? (u64)row_of(tile, key) * narrow + shared * width : 0;
        __syncthreads();
        load<D>(keys[r], k + from, key < seen, width, sub);
        load<D>(values[r], v + from, key < seen, width, sub);
        __syncthreads();
        scores_back<D, B>(pair, queries, gradients, keys, values, tile, start, min((u32)B, seen - start), log_sum, mean);
        __syncthreads();
        for (int n = 0; n < D / 4; ++n)
            for (int j = 0; j < B; ++j) sum[n] += pair.slopes[r][j] * keys[j][sub + 4 * n];
    }
    __syncthreads();
    for (int n = 0; n < D / 4; ++n) queries[r][sub + 4 * n] = sum[n];
    __syncthreads();
    const u32 half = width / 2;
    const u64 turn = (u64)(tile.first + r) * half;
    if (there) rotate_back<D>(queries[r], cos + turn, sin + turn, scale, g_q + at, half, sub);
}

template <int D, int B>
__device__ void keys_back(const float *q, const float *k, const float *v, const float *out, const float *log_sums,
                          const float *g, const Tile *tiles, const Keys *blocks, const float *cos, const float *sin,
                          float *g_k, float *g_v, u32 heads, u32 group, u32 width) {
    __shared__ float queries[B][D + 1], gradients[B][D + 1], keys[B][D + 1], values[B][D + 1];
    __shared__ Pair<D, B> pair;
    const Keys own = blocks[blockIdx.x];
    const u32 shared = blockIdx.y, narrow = heads / group * width;
    const u32 r = threadIdx.x / 4, sub = threadIdx.x % 4;
    const bool there = r < own.count;
    const u64 at = (u64)(own.row + r) * narrow + shared * width;
    load<D>(keys[r], k + at, there, width, sub);
    load<D>(values[r], v + at, there, width, sub);
    float of_key[D / 4], of_value[D / 4];
    for (int n = 0; n < D / 4; ++n) of_key[n] = of_value[n] = 0.0f;
    for (u32 t = own.tiles; t < own.last_tile; ++t) {
        const Tile tile = tiles[t];
        for (u32 head = shared * group; head < (shared + 1) * group; ++head) {
            const bool asks = r < tile.count;
            const u64 from = ((u64)(tile.row + r) * heads + head) * width;
            __syncthreads();
            load<D>(queries[r], q + from, asks, width, sub);
            load<D>(gradients[r], g + from, asks, width, sub);
            const float mean = mean_of(g + from, out + from, asks, width, sub);
            const float log_sum = asks ? log_sums[(u64)(tile.row + r) * heads + head] : 0.0f;
            __syncthreads();
            scores_back<D, B>(pair, queries, gradients, keys, values, tile, own.first, own.count, log_sum, mean);
            __syncthreads();
            for (int n = 0; n < D / 4; ++n)
                for (int i = 0; i < B; ++i) {
                    of_key[n] += pair.slopes[i][r] * queries[i][sub + 4 * n];
                    of_value[n] += pair.weights[i][r] * gradients[i][sub + 4 * n];
                }
        }
    }
    __syncthreads();
    for (int n = 0; n < D / 4; ++n) queries[r][sub + 4 * n] = of_key[n];
    __syncthreads();
    if (!there) return;
    const u32 half = width / 2;
    const u64 turn = (u64)(own.first + r) * half;
    rotate_back<D>(queries[r], cos + turn, sin + turn, 1.0f, g_k + at, half, sub);
    for (int n = 0; n < D / 4; ++n)
        if (sub + 4 * n < width) g_v[at + sub + 4 * n] += of_value[n];
}

#define OF_WIDTH(D, FORWARD, BACKWARD)                                                                                 \
    extern "C" __global__ void __launch_bounds__(4 * FORWARD)                                                         \
        attention_##D(const float *q, const float *k, const float *v, const Tile *tiles, float *out, float *log_sums, \
                      u32 heads, u32 group, u32 width) {                                                               \
        forward<D, FORWARD>(q, k, v, tiles, out, log_sums, heads, group, width);                                      \
    }                                                                                                                  \
    extern "C" __global__ void __launch_bounds__(4 * BACKWARD)                                                        \
        attention_queries_##D(const float *q, const float *k, const float *v, const float *out, const float *log_sums, \
                              const float *g, const Tile *tiles, const float *cos, const float *sin, float scale,     \
                              float *g_q, u32 heads, u32 group, u32 width) {                                           \
        queries_back<D, BACKWARD>(q, k, v, out, log_sums, g, tiles, cos, sin, scale, g_q, heads, group, width);       \
    }                                                                                                                  \
    extern "C" __global__ void __launch_bounds__(4 * BACKWARD)                                                        \
        attention_keys_##D(const float *q, const float *k, const float *v, const float *out, const float *log_sums,   \
                           const float *g, const Tile *tiles, const Keys *blocks, const float *cos, const float *sin, \
                           float *g_k, float *g_v, u32 heads, u32 group, u32 width) {                                  \
        keys_back<D, BACKWARD>(q, k, v, out, log_sums, g, tiles, blocks, cos, sin, g_k, g_v, heads, group, width);    \
    }

OF_WIDTH(32, 32, 32)
OF_WIDTH(64, 32, 32)
OF_WIDTH(128, 32, 16)
OF_WIDTH(256, 16, 8)
