// Runs CUDA C++ on the CPU, one block after the other: the threads of a block are coroutines that stop at barriers
// and shuffles. Made for tests, so it is strict: a thread that leaves while others wait for it is an error.
// A coroutine begins with `setcontext`, which asks the system, and goes on with `_longjmp`, which does not.
#include <algorithm>
#include <cmath>
#include <csetjmp>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <tuple>
#include <ucontext.h>
#include <utility>
#include <vector>

#define __global__
#define __device__
#define __forceinline__ inline
#define __restrict__
#define __launch_bounds__(...)
#define __shared__ static

struct dim3 {
    unsigned x, y, z;
};
struct float2 {
    float x, y;
};
static dim3 threadIdx, blockIdx, blockDim, gridDim;

namespace emulated {
enum Waits { READY, AT_WARP, AT_BLOCK, LEFT };
struct Thread {
    ucontext_t first;
    jmp_buf at;
    bool begun = false;
    std::vector<char> stack;
    Waits waits = LEFT;
    unsigned parity = 0;
};
static jmp_buf scheduler;
static std::vector<Thread> threads;
static unsigned current;
static void (*body)(void *);
static void *body_of;
// what each lane gave to a shuffle, for the present one and the one before
static std::vector<double> given[2];

// Back to the scheduler, until it lets this thread go on.
__attribute__((noinline)) void stop(Waits why) {
    Thread &me = threads[current];
    me.waits = why;
    if (!_setjmp(me.at)) _longjmp(scheduler, 1);
}

// A coroutine is a thread of one block after the other.
inline void start() {
    for (;;) {
        body(body_of);
        stop(LEFT);
    }
}

// Lets thread `t` run until it stops.
__attribute__((noinline)) void run(unsigned t) {
    if (_setjmp(scheduler)) return;
    current = t;
    Thread &thread = threads[t];
    if (thread.begun) _longjmp(thread.at, 1);
    thread.begun = true;
    thread.stack.resize(64 << 10);
    getcontext(&thread.first);
    thread.first.uc_stack.ss_sp = thread.stack.data();
    thread.first.uc_stack.ss_size = thread.stack.size();
    thread.first.uc_link = nullptr;
    makecontext(&thread.first, (void (*)())start, 0);
    setcontext(&thread.first);
}

// Whether all of `first..last` wait in one way; whoever has left makes it an error.
inline bool all_wait(unsigned first, unsigned last, Waits how) {
    for (unsigned t = first; t < last; ++t)
        if (threads[t].waits != how) return false;
    return true;
}

inline void release(unsigned first, unsigned last) {
    for (unsigned t = first; t < last; ++t) threads[t].waits = READY;
}

// Runs the block's threads in rising or falling order; what is wrong, or nothing.
inline const char *block(unsigned count, bool falling) {
    // coroutines stand where they are: a longer list is a new one
    if (threads.size() < count) threads = std::vector<Thread>(count);
    for (auto &lanes : given) lanes.assign(count, 0.0);
    for (unsigned t = 0; t < count; ++t) threads[t].waits = READY, threads[t].parity = 0;
    for (;;) {
        bool ran = false;
        for (unsigned i = 0; i < count; ++i) {
            unsigned t = falling ? count - 1 - i : i;
            if (threads[t].waits != READY) continue;
            ran = true;
            threadIdx = {t, 0, 0};
            run(t);
        }
        bool let_go = false;
        for (unsigned first = 0; first < count; first += 32) {
            unsigned last = std::min(first + 32, count);
            if (all_wait(first, last, AT_WARP)) release(first, last), let_go = true;
        }
        if (all_wait(0, count, AT_BLOCK)) release(0, count), let_go = true;
        if (all_wait(0, count, LEFT)) return nullptr;
        if (!ran && !let_go) {
            threads.clear(); // these never come to their ends
            return "threads wait for others that have left or wait elsewhere";
        }
    }
}

template <class... A, size_t... I>
void call(void (*kernel)(A...), void **arguments, std::index_sequence<I...>) {
    kernel(*(std::remove_reference_t<A> *)arguments[I]...);
}

template <class... A>
const char *grid(void (*kernel)(A...), void **arguments, unsigned wide, unsigned high, unsigned threads_each, bool falling) {
    auto run = [&] { call(kernel, arguments, std::index_sequence_for<A...>()); };
    body = [](void *of) { (*(decltype(run) *)of)(); };
    body_of = &run;
    gridDim = {wide, high, 1};
    blockDim = {threads_each, 1, 1};
    for (unsigned b = 0; b < wide * high; ++b) {
        unsigned at = falling ? wide * high - 1 - b : b;
        blockIdx = {at % wide, at / wide, 0};
        if (const char *wrong = block(threads_each, falling)) return wrong;
    }
    return nullptr;
}
} // namespace emulated

inline void __syncthreads() { emulated::stop(emulated::AT_BLOCK); }
inline void __syncwarp(unsigned = 0xffffffffu) { emulated::stop(emulated::AT_WARP); }

template <class T> T __shfl_sync(unsigned mask, T value, int lane) {
    using namespace emulated;
    static_assert(sizeof(T) <= sizeof(double), "");
    if (mask != 0xffffffffu) std::fprintf(stderr, "a shuffle that leaves lanes out is not emulated\n"), std::abort();
    unsigned me = current, parity = threads[me].parity ^= 1;
    std::memcpy(&given[parity][me], &value, sizeof(T));
    stop(AT_WARP);
    unsigned from = me / 32 * 32 + (unsigned)lane % 32;
    std::memcpy(&value, &given[parity][from], sizeof(T));
    return value;
}
template <class T> T __shfl_xor_sync(unsigned mask, T value, int apart) {
    return __shfl_sync(mask, value, (int)(emulated::current % 32) ^ apart);
}

inline unsigned atomicAdd(unsigned *to, unsigned more) {
    unsigned before = *to;
    *to += more;
    return before;
}
inline unsigned __float_as_uint(float x) {
    unsigned bits;
    std::memcpy(&bits, &x, 4);
    return bits;
}
inline float __uint_as_float(unsigned bits) {
    float x;
    std::memcpy(&x, &bits, 4);
    return x;
}
inline float rsqrtf(float x) { return 1.0f / sqrtf(x); }
using std::max;
using std::min;
