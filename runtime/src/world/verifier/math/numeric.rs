//! Values in floating point, for what has no exact one: complex, for roots and logarithms of negative numbers.

use num_traits::ToPrimitive;

use super::value::{Expr, Function};

/// A complex number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Complex {
    pub(super) re: f64,
    pub(super) im: f64,
}

impl Complex {
    pub(super) fn real(re: f64) -> Self {
        Self { re, im: 0.0 }
    }

    pub(super) fn size(self) -> f64 {
        self.re.hypot(self.im)
    }

    pub(super) fn minus(self, other: Self) -> Self {
        self.plus(other.scaled(-1.0))
    }

    fn plus(self, other: Self) -> Self {
        Self { re: self.re + other.re, im: self.im + other.im }
    }

    fn scaled(self, by: f64) -> Self {
        Self { re: self.re * by, im: self.im * by }
    }

    fn times(self, other: Self) -> Self {
        Self { re: self.re * other.re - self.im * other.im, im: self.re * other.im + self.im * other.re }
    }

    pub(super) fn over(self, other: Self) -> Self {
        let size = other.re * other.re + other.im * other.im;
        self.times(Self { re: other.re / size, im: -other.im / size })
    }

    fn ln(self) -> Self {
        // −0 becomes 0, so that the square root of −4 is 2i however the −4 came about
        Self { re: self.size().ln(), im: (self.im + 0.0).atan2(self.re) }
    }

    fn exp(self) -> Self {
        let size = self.re.exp();
        if self.im == 0.0 {
            return Self::real(size);
        }
        Self { re: size * self.im.cos(), im: size * self.im.sin() }
    }

    fn to_the(self, exponent: Self) -> Self {
        if exponent.im == 0.0 && exponent.re == exponent.re.trunc() && exponent.re.abs() <= 1024.0 {
            if self.im == 0.0 {
                return Self::real(self.re.powi(exponent.re as i32));
            }
            let mut product = Self::real(1.0);
            for _ in 0..exponent.re.abs() as u32 {
                product = product.times(self);
            }
            return if exponent.re < 0.0 { Self::real(1.0).over(product) } else { product };
        }
        if self.im == 0.0 && exponent.im == 0.0 && self.re >= 0.0 {
            return Self::real(self.re.powf(exponent.re));
        }
        if self.size() == 0.0 {
            return Self::real(0.0);
        }
        self.ln().times(exponent).exp()
    }

    fn sin(self) -> Self {
        Self { re: self.re.sin() * self.im.cosh(), im: self.re.cos() * self.im.sinh() }
    }

    fn cos(self) -> Self {
        Self { re: self.re.cos() * self.im.cosh(), im: -self.re.sin() * self.im.sinh() }
    }
}

/// The value of `expr` where each letter is a number that its name and `place` choose, all above 0.
pub(super) fn value(expr: &Expr, place: u64) -> Complex {
    let of = |expr: &Expr| value(expr, place);
    match expr {
        Expr::Number(number, _) => Complex::real(number.to_f64().unwrap_or(f64::NAN)),
        Expr::Variable(name) => Complex::real(chosen(name, place)),
        Expr::Pi => Complex::real(std::f64::consts::PI),
        Expr::Euler => Complex::real(std::f64::consts::E),
        Expr::Imaginary => Complex { re: 0.0, im: 1.0 },
        Expr::Infinity => Complex::real(f64::INFINITY),
        Expr::Sum(a, b) => of(a).plus(of(b)),
        Expr::Product(a, b) => of(a).times(of(b)),
        Expr::Quotient(a, b) => of(a).over(of(b)),
        Expr::Negative(a) => of(a).scaled(-1.0),
        Expr::Percent(a) => of(a).scaled(0.01),
        Expr::Degrees(a) => of(a),
        Expr::Power(a, b) => of(a).to_the(of(b)),
        Expr::Root(index, a) => {
            let (a, index) = (of(a), f64::from(*index));
            if a.im == 0.0 && a.re < 0.0 && index % 2.0 == 1.0 {
                return Complex::real(-(-a.re).powf(1.0 / index));
            }
            a.to_the(Complex::real(1.0 / index))
        }
        Expr::Logarithm(base, a) => of(a).ln().over(of(base).ln()),
        Expr::Binomial(n, k) => binomial(of(n), of(k)),
        Expr::Call(function, a) => call(*function, of(a)),
    }
}

fn call(function: Function, of: Complex) -> Complex {
    let real = |value: f64| if of.im == 0.0 { value } else { f64::NAN };
    match function {
        Function::Sin => of.sin(),
        Function::Cos => of.cos(),
        Function::Tan => of.sin().over(of.cos()),
        Function::Ln => of.ln(),
        Function::Exp => of.exp(),
        Function::Absolute => Complex::real(of.size()),
        Function::Factorial => Complex::real(real(factorial(of.re))),
        Function::Floor => Complex::real(real(of.re.floor())),
        Function::Ceiling => Complex::real(real(of.re.ceil())),
    }
}

/// n! of a whole n that a double can hold; otherwise nothing.
fn factorial(n: f64) -> f64 {
    if !(0.0..=170.0).contains(&n) || n != n.trunc() {
        return f64::NAN;
    }
    (1..=n as u32).map(f64::from).product()
}

fn binomial(n: Complex, k: Complex) -> Complex {
    let value = factorial(n.re) / (factorial(k.re) * factorial(n.re - k.re));
    Complex::real(if n.im == 0.0 && k.im == 0.0 { value } else { f64::NAN })
}

/// A number from 0.3 to 2.3 for a letter: the same for the same name and place (FNV-1a).
fn chosen(name: &str, place: u64) -> f64 {
    let start = 0xcbf2_9ce4_8422_2325 ^ place.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let hash =
        name.bytes().fold(start, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
    // the high bits of a short name are still close to the start's
    let mixed = (hash ^ (hash >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    0.3 + 2.0 * ((mixed >> 11) as f64 / (1u64 << 53) as f64)
}
