//! One body, compiled for several instruction sets, chosen when it is called.

/// Defines functions whose bodies are compiled three times on x86-64: for AVX-512, for AVX2 and for
/// the baseline. The compiler vectorises the loops. Bodies use no fused multiply-add unless they ask for one,
/// so that all three give the same bits.
macro_rules! vectorised {
    ($($(#[$meta:meta])* $vis:vis fn $name:ident($($arg:ident: $ty:ty),* $(,)?) $(-> $out:ty)? $body:block)+) => {$(
        $(#[$meta])*
        $vis fn $name($($arg: $ty),*) $(-> $out)? {
            #[inline(always)]
            fn plain($($arg: $ty),*) $(-> $out)? $body
            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")]
                fn wide($($arg: $ty),*) $(-> $out)? { plain($($arg),*) }
                #[target_feature(enable = "avx2,fma")]
                fn middle($($arg: $ty),*) $(-> $out)? { plain($($arg),*) }
                match $crate::kernels::simd::level() {
                    // SAFETY: `level` has just seen that the processor has these instructions.
                    $crate::kernels::simd::Level::Avx512 => return unsafe { wide($($arg),*) },
                    // SAFETY: likewise.
                    $crate::kernels::simd::Level::Avx2 => return unsafe { middle($($arg),*) },
                    $crate::kernels::simd::Level::Plain => {}
                }
            }
            plain($($arg),*)
        }
    )+};
}
pub(crate) use vectorised;

/// The widest instruction set that this processor has and we use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Level {
    Plain,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

/// What this processor has.
#[inline]
pub(crate) fn level() -> Level {
    static LEVEL: std::sync::OnceLock<Level> = std::sync::OnceLock::new();
    *LEVEL.get_or_init(detect)
}

fn detect() -> Level {
    #[cfg(target_arch = "x86_64")]
    {
        let middle = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
        let wide = is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512dq")
            && is_x86_feature_detected!("avx512vl");
        if wide && middle {
            return Level::Avx512;
        }
        if middle {
            return Level::Avx2;
        }
    }
    Level::Plain
}
