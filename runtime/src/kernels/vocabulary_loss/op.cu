// The losses of rows of logits, with their gradients in place of the logits: a block for each row.
//
// A set of tokens is a condition and no list: see `Cut`.

enum Kind { FORWARD_KL = 0, REVERSE_KL = 1, JSD = 2 };
enum Support { ALL = 0, STUDENT = 1, TEACHER = 2, UNION = 3, SAMPLED = 4, LISTED = 5 };
enum Tail { RENORMALISE = 0, BUCKET = 1, DROP = 2, TEACHER_RENORMALISED = 3 };

// A divergence of a row from a teacher.
struct Part {
    u64 teacher;  // where its values begin: a row, or those of the listed tokens
    u32 kind, support, tail;
    u32 count;    // how many tokens are compared, or listed
    u32 ids;      // where the list begins
    u32 narrow;   // of the listed, so many of the student's likeliest; 0 takes all
    float weight; // of its value and gradient
    float beta;
    float rest;   // ln Σ e^x of the teacher's other tokens, where some are listed
    float gate;   // it counts where the teacher's entropy is above this
    u32 weighed;  // whether the importance of the sampled token weighs it
    u32 unused;
};

struct Row {
    u32 sampled, parts, first;
    u32 kind;         // of the sampled token's own loss: see `of_sampled`
    float weight;     // of the row's gradient
    float old;        // the sampled token's log-probability when it was drawn; not a number where it is not known
    float importance; // the most an importance weight may be
    float teacher, advantage, clip_low, clip_high, gap_mask;
};

struct Found {
    double loss;
    float log_prob, entropy, weight, student_mass, teacher_mass;
    u32 masked;
};

// What is looked at of one part: who is in the set, and what the teacher says.
struct Set {
    const float *z, *q;
    const u32 *ids;
    const u8 *kept; // of the listed
    u32 support, count, sampled;
    Cut student, teacher;

    __device__ bool find(u32 id, float *said) const {
        if (support != LISTED) {
            *said = q[id];
            if (support == ALL) return true;
            if (support == SAMPLED) return id == sampled;
            return (support != TEACHER && student.has(id, z[id])) || (support != STUDENT && teacher.has(id, q[id]));
        }
        u32 low = 0, high = count;
        while (low < high) {
            const u32 middle = (low + high) / 2;
            if (ids[middle] < id) low = middle + 1;
            else high = middle;
        }
        *said = -infinity();
        if (low == count || ids[low] != id) return false;
        *said = q[low];
        return kept[low];
    }
};

struct Term {
    float s, value, slope;
};

__device__ __forceinline__ float weighted(float p, float x) { return p == 0.0f ? 0.0f : p * x; }

// f and f' at one token; the constant that `whole` leaves out cancels over a whole distribution.
__device__ Term term(u32 kind, float beta, float log_s, float log_q, bool whole) {
    const float s = expf(log_s), q = expf(log_q), gap = log_s - log_q;
    Term at = {s, 0.0f, 0.0f};
    if (kind == FORWARD_KL) {
        at.value = weighted(q, -gap);
        at.slope = -q;
    } else if (kind == REVERSE_KL) {
        at.value = at.slope = weighted(s, gap);
        if (!whole) at.slope += s;
    } else {
        const float of_s = 1.0f - beta, of_q = beta;
        float s_over_m, q_over_m;
        if (gap > 0.0f) {
            s_over_m = -log1pf(of_q * expm1f(-gap));
            q_over_m = s_over_m - gap;
        } else {
            q_over_m = -log1pf(of_s * expm1f(gap));
            s_over_m = q_over_m + gap;
        }
        at.slope = of_s * weighted(s, s_over_m);
        at.value = of_q * weighted(q, q_over_m) + at.slope;
    }
    return at;
}

// What the gradient of a part needs to know.
struct Settled {
    Set set;
    bool counts;
    u32 kind, tail;
    float weight, beta, log_s, log_q, slope, of_rest, rest;

    __device__ float gradient(u32 id) const {
        float said;
        const bool in = set.find(id, &said);
        if (!in && tail == RENORMALISE) return 0.0f;
        if (!in && tail == BUCKET) return of_rest == 0.0f ? 0.0f : of_rest * expf(set.z[id] - rest);
        if (!in) return -weight * slope * expf(set.z[id] - log_s);
        const bool whole = tail == RENORMALISE || tail == BUCKET;
        const Term at = term(kind, beta, set.z[id] - log_s, said - log_q, whole);
        return weight * (at.slope - at.s * slope);
    }
};

__device__ Settled settle(const Part &part, const Row &row, const float *z, const float *teachers, const u32 *ids, u8 *kept,
                          u32 width, float importance, Found *found) {
    Settled to;
    Set &set = to.set;
    set.z = z;
    set.q = teachers + part.teacher;
    set.ids = ids + part.ids;
    set.kept = kept + part.ids;
    set.support = part.support;
    set.count = part.count;
    set.sampled = row.sampled;
    set.student = set.teacher = Cut{0, 0xffffffffu};
    if (part.support == STUDENT || part.support == UNION) set.student = largest(z, width, part.count);
    if (part.support == TEACHER || part.support == UNION) set.teacher = largest(set.q, width, part.count);
    to.kind = part.kind;
    to.tail = part.tail;
    to.beta = part.beta;
    to.weight = part.weight * (part.weighed ? importance : 1.0f);
    to.counts = true;
    if (part.gate > -infinity()) {
        Online all = nothing_yet();
        for (u32 i = threadIdx.x; i < width; i += blockDim.x) see(all, set.q[i]);
        const float whole = (float)block_log_sum(all);
        double entropy = 0.0;
        for (u32 i = threadIdx.x; i < width; i += blockDim.x)
            entropy += (double)weighted(expf(set.q[i] - whole), whole - set.q[i]);
        to.counts = (float)block_sum(entropy) > part.gate;
        if (!to.counts) return to;
    }
    Online in_s = nothing_yet(), in_q = nothing_yet(), out_s = nothing_yet(), out_q = nothing_yet();
    if (part.support == LISTED) {
        u8 *keeps = kept + part.ids;
        for (u32 at = threadIdx.x; at < part.count; at += blockDim.x) {
            u32 better = 0;
            if (part.narrow > 0 && part.narrow < part.count) {
                const float mine = z[set.ids[at]];
                for (u32 other = 0; other < part.count; ++other) {
                    const float theirs = z[set.ids[other]];
                    better += theirs > mine || (theirs == mine && other < at);
                }
            }
            keeps[at] = part.narrow == 0 || better < part.narrow;
            if (!keeps[at]) see(out_q, set.q[at]);
        }
        if (threadIdx.x == 0) see(out_q, part.rest);
        __syncthreads(); // the list is whole before anyone looks into it
    }
    for (u32 i = threadIdx.x; i < width; i += blockDim.x) {
        float said;
        const bool in = set.find(i, &said);
        see(in ? in_s : out_s, z[i]);
        if (in) see(in_q, said);
        else if (part.support != LISTED) see(out_q, said);
    }
    const double set_s = block_log_sum(in_s), set_q = block_log_sum(in_q);
    const double rest_s = block_log_sum(out_s), rest_q = block_log_sum(out_q);
    Online both = nothing_yet();
    if (threadIdx.x == 0) see(both, (float)set_s), see(both, (float)rest_s);
    const double all_s = block_log_sum(both);
    both = nothing_yet();
    if (threadIdx.x == 0) see(both, (float)set_q), see(both, (float)rest_q);
    const double all_q = block_log_sum(both);
    const bool alone_s = part.tail == RENORMALISE, alone_q = alone_s || part.tail == TEACHER_RENORMALISED;
    to.log_s = (float)(alone_s ? set_s : all_s);
    to.log_q = (float)(alone_q ? set_q : all_q);
    to.rest = (float)rest_s;
    const bool whole = part.tail == RENORMALISE || part.tail == BUCKET;
    double value = 0.0, slope = 0.0;
    for (u32 i = threadIdx.x; i < width; i += blockDim.x) {
        float said;
        if (!set.find(i, &said)) continue;
        const Term at = term(part.kind, part.beta, z[i] - to.log_s, said - to.log_q, whole);
        value += (double)at.value;
        slope += (double)at.slope;
    }
    value = block_sum(value);
    slope = block_sum(slope);
    to.of_rest = 0.0f;
    if (part.tail == BUCKET) {
        const Term at = term(part.kind, part.beta, to.rest - to.log_s, (float)rest_q - to.log_q, true);
        value += (double)at.value;
        slope += (double)at.slope;
        if (rest_s > -(double)infinity()) to.of_rest = to.weight * (at.slope - at.s * (float)slope);
    }
    to.slope = (float)slope;
    if (threadIdx.x == 0) {
        found->loss += (double)to.weight * value;
        found->student_mass = expf((float)(set_s - all_s));
        found->teacher_mass = expf((float)(set_q - all_q));
    }
    return to;
}

// The loss of the sampled token's log-probability `now`, and its slope.
__device__ float2 of_sampled(const Row &row, float now, u32 *masked) {
    float2 found = {0.0f, 0.0f};
    const float gap = now - row.teacher;
    if (row.kind == 1) { // cross-entropy
        found.x = -now;
        found.y = -1.0f;
    } else if (row.kind == 2) { // half the squared gap
        found.x = 0.5f * gap * gap;
        found.y = gap;
    } else if (row.kind == 3) { // k3
        found.x = expm1f(-gap) + gap;
        found.y = -expm1f(-gap);
    } else if (row.kind == 4) { // k1
        found.x = gap;
        found.y = 1.0f;
    } else if (row.kind == 6) { // the policy gradient on the gap itself
        if (fabsf(gap) < infinity()) found.x = found.y = gap;
    } else if (row.kind == 5) { // the clipped policy gradient
        *masked = fabsf(gap) >= row.gap_mask; // never of a teacher that is not a number
        if (*masked || row.advantage == 0.0f) return found;
        const float ratio = expf(now - row.old);
        const float clipped = fminf(fmaxf(ratio, 1.0f - row.clip_low), 1.0f + row.clip_high);
        const float free = -ratio * row.advantage, held = -clipped * row.advantage;
        found.x = fmaxf(free, held);
        found.y = free >= held ? free : 0.0f;
    }
    return found;
}

extern "C" __global__ void __launch_bounds__(256)
    row_losses(float *logits, u32 width, const Row *rows, const Part *parts, const float *teachers, const u32 *ids, u8 *kept,
               Found *found_of, u32 traced) {
    const Row row = rows[blockIdx.x];
    float *z = logits + (u64)blockIdx.x * width;
    __shared__ Found found;
    Online all = nothing_yet();
    for (u32 i = threadIdx.x; i < width; i += blockDim.x) see(all, z[i]);
    const double whole = block_log_sum(all);
    const float log_sum = (float)whole, now = row.sampled < width ? z[row.sampled] - log_sum : -infinity();
    double entropy = 0.0;
    for (u32 i = threadIdx.x; i < width; i += blockDim.x) {
        const float p = expf(z[i] - log_sum);
        entropy += (double)(p > 0.0f ? p * (log_sum - z[i]) : p);
    }
    entropy = block_sum(entropy);
    float importance = 1.0f;
    if (row.importance < infinity() && row.old == row.old) {
        const float exact = (float)((double)(now + log_sum) - whole);
        importance = fminf(expf(fminf(fmaxf(exact - row.old, -20.0f), 20.0f)), row.importance);
    }
    if (threadIdx.x == 0) {
        found.masked = 0;
        found.loss = 0.0;
        found.log_prob = now;
        found.entropy = (float)entropy;
        found.weight = importance;
        found.student_mass = found.teacher_mass = 1.0f;
    }
    __syncthreads();
    Settled settled[2];
    settled[0].counts = settled[1].counts = false;
    for (u32 p = 0; p < row.parts; ++p)
        settled[p] = settle(parts[row.first + p], row, z, teachers, ids, kept, width, importance, &found);
    u32 masked = 0;
    const float2 own = of_sampled(row, now, &masked);
    __syncthreads(); // all have read the row; nobody writes before
    for (u32 i = threadIdx.x; traced && i < width; i += blockDim.x) {
        float g = own.y == 0.0f ? 0.0f : -own.y * expf(z[i] - log_sum) + (i == row.sampled ? own.y : 0.0f);
        for (u32 p = 0; p < row.parts; ++p)
            if (settled[p].counts) g += settled[p].gradient(i);
        z[i] = row.weight == 0.0f ? 0.0f : g * row.weight;
    }
    if (threadIdx.x == 0) {
        found.loss += (double)own.x;
        found.masked = masked;
        found_of[blockIdx.x] = found;
    }
}

// The log-probability of one token of each row, and the row's entropy in nats.
extern "C" __global__ void __launch_bounds__(256)
    row_said(const float *logits, u32 width, const u32 *ids, double *log_probs, double *entropies) {
    const float *z = logits + (u64)blockIdx.x * width;
    float top = -infinity();
    for (u32 i = threadIdx.x; i < width; i += blockDim.x) top = fmaxf(top, z[i]);
    top = block_max(top);
    double sum = 0.0;
    for (u32 i = threadIdx.x; i < width; i += blockDim.x) sum += exp((double)z[i] - (double)top);
    const double whole = (double)top + log(block_sum(sum));
    double entropy = 0.0;
    for (u32 i = threadIdx.x; i < width; i += blockDim.x) {
        const double surprise = whole - (double)z[i], p = exp(-surprise);
        entropy += p > 0.0 ? p * surprise : p;
    }
    entropy = block_sum(entropy);
    if (threadIdx.x == 0) {
        log_probs[blockIdx.x] = (double)z[ids[blockIdx.x]] - whole;
        entropies[blockIdx.x] = entropy;
    }
}
