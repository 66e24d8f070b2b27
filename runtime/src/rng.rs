//! Random numbers by counter: the same seed and the same place give the same number, whatever
//! thread or device asks, so there is no generator state to save.
//!
//! The generator is Philox 4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011).

/// One Philox 4x32-10 block: four 32-bit words for a 128-bit counter under a 64-bit key.
pub fn philox(counter: [u32; 4], key: [u32; 2]) -> [u32; 4] {
    let ([mut a, mut b, mut c, mut d], [mut k0, mut k1]) = (counter, key);
    for _ in 0..10 {
        let low = u64::from(a) * 0xD251_1F53;
        let high = u64::from(c) * 0xCD9E_8D57;
        (a, b, c, d) = ((high >> 32) as u32 ^ b ^ k0, high as u32, (low >> 32) as u32 ^ d ^ k1, low as u32);
        k0 = k0.wrapping_add(0x9E37_79B9);
        k1 = k1.wrapping_add(0xBB67_AE85);
    }
    [a, b, c, d]
}

/// What a stream of random numbers is for. Streams of different purposes never meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Purpose {
    /// The order in which prompts are drawn.
    Shuffle = 1,
    /// The tokens of a rollout.
    Rollout = 2,
    /// Which rollouts online balancing masks.
    Balance = 3,
    /// Which prompts offline balancing copies.
    Difficulty = 4,
    /// Tasks made from a seed.
    Task = 5,
    /// The weights of a fresh model.
    Weights = 6,
    /// The rollouts of an evaluation.
    Evaluation = 7,
    /// The rollouts that measure difficulty.
    Measure = 8,
    /// Whether a batch is the student's own or somebody else's.
    Mixture = 9,
    /// Which tokens are pruned.
    Prune = 10,
    /// The low-rank factors beside a model's weights.
    Adapters = 11,
    /// Scenes made from a seed.
    Scene = 12,
    /// How long to wait before a server is asked again; no result depends on it.
    Backoff = 20,
}

/// A stream of random numbers, named by seed, purpose, and two indices (a step and a row, say).
#[derive(Clone, Debug)]
pub struct Stream {
    key: [u32; 2],
    place: [u32; 3],
    next: u32,
    block: [u32; 4],
}

impl Stream {
    /// The stream of `purpose` at `(major, minor)` under `seed`.
    pub fn new(seed: u64, purpose: Purpose, major: u64, minor: u64) -> Self {
        // the upper half of `major` is folded in with the purpose: steps and epochs stay far below 2^32
        let place = [purpose as u32 ^ ((major >> 32) as u32).rotate_left(8), major as u32, minor as u32];
        let key = [seed as u32, (seed >> 32) as u32 ^ (minor >> 32) as u32];
        Self { key, place, next: 0, block: [0; 4] }
    }

    /// The next 32 random bits.
    pub fn bits(&mut self) -> u32 {
        let lane = (self.next % 4) as usize;
        if lane == 0 {
            let [p, a, b] = self.place;
            self.block = philox([self.next / 4, a, b, p], self.key);
        }
        self.next += 1;
        self.block[lane]
    }

    /// Uniform in `[0, 1)`, 53 bits.
    pub fn uniform(&mut self) -> f64 {
        let high = u64::from(self.bits() >> 5);
        let low = u64::from(self.bits() >> 6);
        ((high << 26) | low) as f64 / (1u64 << 53) as f64
    }

    /// Uniform in `0..n`; `n` must not be 0.
    pub fn below(&mut self, n: usize) -> usize {
        // multiply-shift on 64 bits: the bias is under n / 2^64
        let bits = (u64::from(self.bits()) << 32) | u64::from(self.bits());
        ((u128::from(bits) * n as u128) >> 64) as usize
    }

    /// A standard normal number (Box-Muller).
    pub fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.uniform()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.uniform()).cos()
    }

    /// Puts `items` in random order (Fisher-Yates).
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn philox_meets_the_published_answers() {
        let zero = philox([0; 4], [0; 2]);
        assert_eq!(zero, [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]);
        let ones = philox([u32::MAX; 4], [u32::MAX; 2]);
        assert_eq!(ones, [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]);
    }

    #[test]
    fn streams_do_not_meet_and_repeat_exactly() {
        let take = |mut s: Stream| (0..8).map(|_| s.bits()).collect::<Vec<_>>();
        let here = take(Stream::new(7, Purpose::Rollout, 3, 1));
        assert_eq!(here, take(Stream::new(7, Purpose::Rollout, 3, 1)));
        for other in [
            Stream::new(8, Purpose::Rollout, 3, 1),
            Stream::new(7, Purpose::Balance, 3, 1),
            Stream::new(7, Purpose::Rollout, 4, 1),
            Stream::new(7, Purpose::Rollout, 3, 2),
        ] {
            assert_ne!(here, take(other));
        }
    }

    #[test]
    fn a_shuffle_keeps_every_item_and_below_stays_below() {
        let mut stream = Stream::new(1, Purpose::Shuffle, 0, 0);
        let mut items: Vec<_> = (0..100).collect();
        stream.shuffle(&mut items);
        assert_ne!(items, (0..100).collect::<Vec<_>>());
        items.sort_unstable();
        assert_eq!(items, (0..100).collect::<Vec<_>>());
        assert!((0..1000).all(|_| stream.below(3) < 3));
        let mean = (0..4000).map(|_| stream.uniform()).sum::<f64>() / 4000.0;
        assert!((mean - 0.5).abs() < 0.02, "{mean}");
    }
}
