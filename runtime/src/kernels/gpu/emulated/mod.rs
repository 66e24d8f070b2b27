//! The GPU kernels on the CPU: the same CUDA sources, compiled by the machine's C++ compiler with a small shim.

use super::{functions, source, Address, Argument, Columns, Gpu, Grid, Held};
use half::f16;
use std::ffi::{c_char, c_uint, c_void, CStr, CString};
use std::path::Path;
use std::process::Command;
use std::sync::{Mutex, OnceLock};

type Launch =
    unsafe extern "C" fn(*const c_char, c_uint, c_uint, c_uint, *mut *mut c_void, c_uint) -> *const c_char;

/// One order in which the threads of a block run. What depends on it is a race.
#[derive(Clone, Copy)]
pub(crate) struct Emulated {
    falling: bool,
    halves: bool,
    launch: &'static Mutex<Launch>,
}

/// The words around the kernels: one function that finds them by name.
fn program() -> String {
    let call = |name: String| {
        format!("    if (!std::strcmp(name, \"{name}\")) return emulated::grid({name}, arguments, wide, high, threads, falling);\n")
    };
    format!(
        "{}\n{}\n{}\nextern \"C\" const char *emulated_launch(const char *name, unsigned wide, unsigned high, unsigned threads, void **arguments, unsigned falling) {{\n{}    return \"there is no such kernel\";\n}}\n",
        include_str!("shim.h"),
        source(),
        super::SOURCES.map(|(name, _)| format!("using namespace of_{name};\n")).concat(),
        functions().into_iter().map(call).collect::<String>()
    )
}

/// Compiles the kernels; the way to launch them, or that there is no compiler.
fn compiled(folder: &Path) -> Option<Launch> {
    let (text, library) = (folder.join("kernels.cpp"), folder.join("kernels.so"));
    std::fs::write(&text, program()).expect("the program can be written");
    let named = std::env::var("CXX").ok();
    let candidates = named.iter().map(String::as_str).chain(["c++", "g++", "clang++"]);
    for compiler in candidates {
        let flags =
            ["-std=c++17", "-O2", "-ffp-contract=off", "-U_FORTIFY_SOURCE", "-w", "-shared", "-fPIC", "-o"];
        let output = match Command::new(compiler).args(flags).arg(&library).arg(&text).output() {
            Err(why) if why.kind() == std::io::ErrorKind::NotFound => continue,
            output => output.expect("the compiler starts"),
        };
        assert!(output.status.success(), "{compiler}: {}", String::from_utf8_lossy(&output.stderr));
        let path = CString::new(library.to_str().expect("a plain path")).expect("no zero in it");
        // SAFETY: the library has just been compiled; nothing runs when it is loaded.
        let function = unsafe {
            let handle = libc::dlopen(path.as_ptr(), libc::RTLD_NOW);
            assert!(!handle.is_null(), "{:?}", CStr::from_ptr(libc::dlerror()));
            libc::dlsym(handle, c"emulated_launch".as_ptr())
        };
        assert!(!function.is_null(), "the library has its function");
        // SAFETY: the program above declares it so.
        return Some(unsafe { std::mem::transmute::<*mut c_void, Launch>(function) });
    }
    None
}

impl Emulated {
    /// Both orders of threads; none where this machine has no C++ compiler, which is said.
    pub fn both() -> Vec<Self> {
        static LAUNCH: OnceLock<Option<Mutex<Launch>>> = OnceLock::new();
        let launch = LAUNCH.get_or_init(|| {
            let folder = tempfile::tempdir().expect("a folder for the kernels");
            compiled(folder.path()).map(Mutex::new)
        });
        match launch {
            Some(launch) => [false, true].map(|falling| Self { falling, halves: false, launch }).to_vec(),
            None => {
                eprintln!("skipped: the CUDA kernels are run on the CPU where there is a C++ compiler (c++, g++ or clang++)");
                Vec::new()
            }
        }
    }
}

impl Emulated {
    /// The same device, with products of halves.
    pub fn of_halves(self) -> Self {
        Self { halves: true, ..self }
    }
}

/// What stands around the memory that kernels get: whoever writes there is found out.
const GUARD: u8 = 0xa5;
const MARGIN: usize = 64;

pub(crate) struct Guarded(Vec<u64>);

impl Held for Guarded {
    fn at(&self) -> Address {
        self.0.as_ptr() as Address + MARGIN as u64
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        let all = super::bytes(&self.0);
        let whole = all[..MARGIN].iter().chain(&all[all.len() - MARGIN..]).all(|&byte| byte == GUARD);
        assert!(whole || std::thread::panicking(), "a kernel wrote beside its memory");
    }
}

impl Gpu for Emulated {
    type Err = String;
    type Memory = Guarded;

    fn launch(
        &self,
        function: &str,
        Grid(wide, high, threads): Grid,
        arguments: &[Argument],
    ) -> Result<(), String> {
        let name = CString::new(function).map_err(|why| why.to_string())?;
        let mut pointers: Vec<*mut c_void> = arguments.iter().map(Argument::pointer).collect();
        let launch = self.launch.lock().map_err(|why| why.to_string())?;
        let (wide, high, threads) = (wide as c_uint, high as c_uint, threads as c_uint);
        assert!(threads % 32 == 0 && threads <= 1024, "{function} with {threads} threads");
        // SAFETY: the addresses are those of memory that the caller holds, and the launch is over when it returns.
        let wrong = unsafe {
            launch(name.as_ptr(), wide, high, threads, pointers.as_mut_ptr(), c_uint::from(self.falling))
        };
        match wrong.is_null() {
            true => Ok(()),
            // SAFETY: what is wrong is said in a constant of the program.
            false => Err(format!("{function}: {:?}", unsafe { CStr::from_ptr(wrong) })),
        }
    }

    /// Filled with what is no number, between guards.
    fn memory(&self, bytes: usize) -> Result<Guarded, String> {
        let words = (bytes + 2 * MARGIN).div_ceil(8);
        let mut memory = vec![u64::from_ne_bytes([GUARD; 8]); words];
        // SAFETY: inside the memory: `bytes` of it between the margins.
        unsafe { std::ptr::write_bytes(memory.as_mut_ptr().cast::<u8>().add(MARGIN), 0xff, bytes) };
        Ok(Guarded(memory))
    }

    fn write(&self, to: Address, bytes: &[u8]) -> Result<(), String> {
        // SAFETY: an address of memory that the caller holds, as on a device.
        unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), to as *mut u8, bytes.len()) };
        Ok(())
    }

    fn read(&self, from: Address, into: &mut [u8]) -> Result<(), String> {
        // SAFETY: likewise.
        unsafe { std::ptr::copy_nonoverlapping(from as *const u8, into.as_mut_ptr(), into.len()) };
        Ok(())
    }

    fn halves(&self) -> bool {
        self.halves
    }

    /// As a column-major library computes it, value by value: floats are summed in `f64`, halves in `f32`.
    fn multiply_columns(&self, p: &Columns) -> Result<(), String> {
        // SAFETY: inside the matrices that the product says are there, in both.
        let float = |start, index| f64::from(unsafe { *(super::past(start, index) as *const f32) });
        let half = |start: Address, index| unsafe { *(start as *const f16).add(index) }.to_f32();
        for column in 0..p.n {
            for row in 0..p.m {
                let places = (0..p.k).map(|inner| {
                    let (i, j) = if p.turn_first { (inner, row) } else { (row, inner) };
                    let (k, l) = if p.turn_second { (column, inner) } else { (inner, column) };
                    (j * p.step_first + i, l * p.step_second + k)
                });
                let sum = match p.halved {
                    true => places.fold(0.0, |sum, (a, b)| sum + half(p.first, a) * half(p.second, b)),
                    false => {
                        places.fold(0.0, |sum, (a, b)| sum + float(p.first, a) * float(p.second, b)) as f32
                    }
                };
                // SAFETY: likewise.
                let to = unsafe { &mut *(super::past(p.c, column * p.step_c + row) as *mut f32) };
                *to = if p.beta == 0.0 { 0.0 } else { *to } + sum;
            }
        }
        Ok(())
    }
}
