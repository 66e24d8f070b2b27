//! The CUDA driver as a [`Gpu`]: the kernels compiled when the device is opened, and kept in a cache on disk.
//!
//! One process uses one GPU. Everything runs on the stream that dfdx uses, so all work is done in the order it is
//! asked for.

use super::{functions, source, Address, Argument, Columns, Gpu, Grid, Held};
use crate::error::{Error, Result};
use crate::tensor::{Buffer, Cuda, CudaError, Host, Matrix, Precision, Storage};
use cudarc::cublas::{result as blas_result, sys as blas, CudaBlas};
use cudarc::driver::{result, sys, CudaDevice, DevicePtr, DriverError};
use cudarc::nvrtc::{compile_ptx_with_opts, CompileOptions};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::ffi::{c_void, CString};
use std::fmt::{self, Write};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

/// The GPU of this process, with its kernels.
pub(crate) struct Engine {
    device: Arc<CudaDevice>,
    blas: CudaBlas,
    functions: HashMap<String, sys::CUfunction>,
    /// Whether products read halves.
    halves: AtomicBool,
}

// SAFETY: functions of a loaded module may be launched from any thread; the module is never unloaded.
unsafe impl Send for Engine {}
// SAFETY: likewise.
unsafe impl Sync for Engine {}

static ENGINE: OnceLock<Engine> = OnceLock::new();

/// The engine that [`open`] has made.
pub(crate) fn engine() -> Result<&'static Engine, CudaError> {
    ENGINE.get().ok_or(CudaError::Driver(DriverError(sys::CUresult::CUDA_ERROR_NOT_INITIALIZED)))
}

/// What to do where no GPU can be used.
const USE_THE_CPU: &str = "say `device: Cpu` in the run file (or `--set device=Cpu`), or run on a machine with an NVIDIA driver for CUDA 13 and a GPU";

fn none(why: impl fmt::Display) -> Error {
    Error::run(format!("there is no CUDA device to run on: {why}")).at("`device`").next(USE_THE_CPU)
}

/// GPU number `ordinal`, with all kernels compiled. Products of matrices, all that come after, are of `precision`.
///
/// # Errors
/// When there is no driver or no such GPU, another GPU is open already, or the kernels do not compile.
pub(crate) fn open(ordinal: usize, precision: Precision) -> Result<Cuda> {
    // dfdx and cudarc panic where the driver finds nothing, so it is asked before they are
    result::init().map_err(|why| none(name_of(&why)))?;
    let count = result::device::get_count().map_err(|why| none(name_of(&why)))?;
    if ordinal >= count.max(0) as usize {
        return Err(none(format!("GPU {ordinal} of {count}")));
    }
    let failed =
        |what: &str, why: &dyn fmt::Display| Error::run(format!("the GPU cannot be used: {what}: {why}"));
    let cuda = Cuda::try_build(ordinal, 0).map_err(|why| failed("dfdx", &why))?;
    let probe: Buffer<Cuda> =
        Storage::<f32>::try_alloc_len(&cuda, 1).map_err(|why| failed("memory", &why))?;
    let device = probe.device();
    if let Some(engine) = ENGINE.get() {
        return match engine.device.ordinal() == ordinal {
            true => engine.round(precision).map(|()| cuda),
            false => Err(Error::run("one process uses one GPU")
                .at("`device`")
                .next("start another process for it")),
        };
    }
    let engine = Engine::new(device)?;
    engine.round(precision)?;
    ENGINE.get_or_init(|| engine);
    Ok(cuda)
}

/// The name of an error. cudarc's own text of it asks the driver, and panics where that does not answer.
fn name_of(why: &DriverError) -> String {
    format!("{:?}", why.0)
}

impl Engine {
    fn new(device: Arc<CudaDevice>) -> Result<Self> {
        let failed = |what: &str, why: &dyn fmt::Debug| {
            Error::run(format!("the kernels cannot be used on this GPU: {what}: {why:?}"))
        };
        let attribute = |which| device.attribute(which).map_err(|why| failed("its kind", &why));
        use sys::CUdevice_attribute::{
            CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR as MAJOR,
            CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR as MINOR,
        };
        let capability = 10 * attribute(MAJOR)? + attribute(MINOR)?;
        let text = |text: &str| CString::new(text).map_err(|why| failed("a zero in its text", &why));
        let image = text(&compiled(capability)?)?;
        device.bind_to_thread().map_err(|why| failed("its context", &why))?;
        // SAFETY: the image is the text of a module, and ends with a zero.
        let module = unsafe { result::module::load_data(image.as_ptr().cast()) };
        let module = module.map_err(|why| failed("loading the kernels", &why))?;
        let found = |name: String| {
            // SAFETY: the module has just been loaded.
            let function = unsafe { result::module::get_function(module, text(&name)?) };
            function.map_err(|why| failed(&name, &why)).map(|function| (name, function))
        };
        let functions = functions().into_iter().map(found).collect::<Result<_>>()?;
        let blas = CudaBlas::new(Arc::clone(&device)).map_err(|why| failed("cuBLAS", &why))?;
        Ok(Self { device, blas, functions, halves: AtomicBool::new(false) })
    }

    /// What products round to.
    fn round(&self, precision: Precision) -> Result<()> {
        use blas::cublasMath_t::{CUBLAS_DEFAULT_MATH, CUBLAS_TF32_TENSOR_OP_MATH};
        let mode = match precision {
            Precision::Tf32 => CUBLAS_TF32_TENSOR_OP_MATH,
            Precision::F32 | Precision::F16 => CUBLAS_DEFAULT_MATH,
        };
        self.halves.store(precision == Precision::F16, Ordering::Relaxed);
        // SAFETY: the handle is this engine's own.
        let status = unsafe { blas::cublasSetMathMode(*self.blas.handle(), mode) };
        status.result().map_err(|why| Error::run(format!("cuBLAS does not take its precision: {why:?}")))
    }

    /// Free and whole memory of the GPU, in bytes.
    pub fn memory_info(&self) -> Result<(usize, usize), CudaError> {
        self.device.bind_to_thread()?;
        Ok(result::mem_get_info()?)
    }

    /// Waits until all that was asked for is done.
    pub fn finish(&self) -> Result<(), CudaError> {
        Ok(self.device.synchronize()?)
    }

    /// What the device calls itself: compute capability and driver.
    pub fn describe(&self) -> Result<String, CudaError> {
        use sys::CUdevice_attribute::{
            CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR as MAJOR,
            CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR as MINOR,
            CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT as PARTS,
        };
        let [major, minor, parts] = [MAJOR, MINOR, PARTS].map(|which| self.device.attribute(which));
        let (_, memory) = self.memory_info()?;
        let gigabytes = memory as f64 / 1e9;
        Ok(format!("sm_{}{}, {} multiprocessors, {gigabytes:.0} GB", major?, minor?, parts?))
    }
}

/// The kernels for a compute capability (80 for 8.0): from the cache, or compiled and put there.
fn compiled(capability: i32) -> Result<String> {
    let text = source();
    let digest = Sha256::digest(format!("{capability}\n{text}"));
    let hash = digest[..12].iter().fold(String::new(), |mut hash, byte| {
        let _ = write!(hash, "{byte:02x}");
        hash
    });
    let path = cache().map(|folder| folder.join(format!("kernels-sm_{capability}-{hash}.ptx")));
    if let Some(kept) = path.as_ref().and_then(|path| std::fs::read_to_string(path).ok()) {
        return Ok(kept);
    }
    // asked for once in a process, and kept for as long
    let arch: &'static str = format!("compute_{capability}").leak();
    let ptx = compile_ptx_with_opts(&text, CompileOptions { arch: Some(arch), ..CompileOptions::default() });
    let ptx = ptx.map_err(|why| {
        Error::run(format!("NVRTC does not compile the kernels: {why:?}"))
            .next("the machine's libnvrtc must be of CUDA 13, and no newer than its driver")
    })?;
    let ptx = ptx.to_src().trim_end_matches('\0').to_string();
    if let Some(path) = path {
        // without a cache the next start compiles again, and nothing else differs
        let beside = path.with_extension(format!("{}.part", std::process::id()));
        let folder = path.parent().map_or(Ok(()), std::fs::create_dir_all);
        let _ = folder
            .and_then(|()| std::fs::write(&beside, &ptx))
            .and_then(|()| std::fs::rename(&beside, &path));
    }
    Ok(ptx)
}

/// Where compiled kernels are kept.
fn cache() -> Option<PathBuf> {
    let named = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let folder = named("XDG_CACHE_HOME").or_else(|| named("HOME").map(|home| home.join(".cache")));
    folder.map(|folder| folder.join("limbeck"))
}

/// Memory that the driver gives out in the order of the stream.
pub(crate) struct Block(cudarc::driver::CudaSlice<u8>);

impl Held for Block {
    fn at(&self) -> Address {
        *self.0.device_ptr()
    }
}

impl Gpu for Engine {
    type Err = CudaError;
    type Memory = Block;

    fn launch(
        &self,
        function: &str,
        Grid(wide, high, threads): Grid,
        arguments: &[Argument],
    ) -> Result<(), CudaError> {
        if wide * high == 0 {
            return Ok(()); // the driver takes no empty grid
        }
        let missing = || CudaError::Driver(DriverError(sys::CUresult::CUDA_ERROR_NOT_FOUND));
        let function = *self.functions.get(function).ok_or_else(missing)?;
        let mut pointers: Vec<*mut c_void> = arguments.iter().map(Argument::pointer).collect();
        let (grid, block) = ((wide as u32, high as u32, 1), (threads as u32, 1, 1));
        self.device.bind_to_thread()?;
        // SAFETY: the arguments are those that the source asks for: the same calls run in tests on the CPU.
        Ok(unsafe {
            result::launch_kernel(function, grid, block, 0, *self.device.cu_stream(), &mut pointers)
        }?)
    }

    fn memory(&self, bytes: usize) -> Result<Block, CudaError> {
        // SAFETY: bytes without a value; who asks writes before anyone reads.
        Ok(Block(unsafe { self.device.alloc::<u8>(bytes.max(1)) }?))
    }

    fn write(&self, to: Address, bytes: &[u8]) -> Result<(), CudaError> {
        self.device.bind_to_thread()?;
        // SAFETY: `to` is memory that the caller holds, and the copy is over when this returns.
        Ok(unsafe { result::memcpy_htod_sync(to, bytes) }?)
    }

    fn read(&self, from: Address, into: &mut [u8]) -> Result<(), CudaError> {
        self.device.bind_to_thread()?;
        self.device.synchronize()?;
        // SAFETY: likewise.
        Ok(unsafe { result::memcpy_dtoh_sync(into, from) }?)
    }

    fn halves(&self) -> bool {
        self.halves.load(Ordering::Relaxed)
    }

    fn multiply_columns(&self, p: &Columns) -> Result<(), CudaError> {
        use blas::cublasOperation_t::{CUBLAS_OP_N, CUBLAS_OP_T};
        use blas::{cublasComputeType_t::CUBLAS_COMPUTE_32F, cublasGemmAlgo_t::CUBLAS_GEMM_DFALT};
        use blas::{cudaDataType_t::CUDA_R_16F, cudaDataType_t::CUDA_R_32F};
        self.device.bind_to_thread()?;
        let turn = |turned| if turned { CUBLAS_OP_T } else { CUBLAS_OP_N };
        let size = |size: usize| size.max(1) as i32;
        let handle = *self.blas.handle();
        let (turn_first, turn_second) = (turn(p.turn_first), turn(p.turn_second));
        let (m, n, k) = (p.m as i32, p.n as i32, p.k as i32);
        let (step_first, step_second, step_c) = (size(p.step_first), size(p.step_second), size(p.step_c));
        let one = 1.0f32;
        let done = if p.halved {
            let (alpha, beta) = (std::ptr::from_ref(&one).cast(), std::ptr::from_ref(&p.beta).cast());
            let (first, second) = (p.first as *const c_void, p.second as *const c_void);
            let c = p.c as *mut c_void;
            // SAFETY: the halves and the floats lie where the product says; the same calls run in tests on the CPU.
            unsafe {
                blas_result::gemm_ex(
                    handle,
                    turn_first,
                    turn_second,
                    m,
                    n,
                    k,
                    alpha,
                    first,
                    CUDA_R_16F,
                    step_first,
                    second,
                    CUDA_R_16F,
                    step_second,
                    beta,
                    c,
                    CUDA_R_32F,
                    step_c,
                    CUBLAS_COMPUTE_32F,
                    CUBLAS_GEMM_DFALT,
                )
            }
        } else {
            let (first, second) = (p.first as *const f32, p.second as *const f32);
            let c = p.c as *mut f32;
            // SAFETY: the matrices lie where the product says; the same calls run in tests on the CPU.
            unsafe {
                blas_result::sgemm(
                    handle,
                    turn_first,
                    turn_second,
                    m,
                    n,
                    k,
                    &one,
                    first,
                    step_first,
                    second,
                    step_second,
                    &p.beta,
                    c,
                    step_c,
                )
            }
        };
        Ok(done?)
    }
}

/// Where a buffer lies.
pub(crate) fn buffer_at(buffer: &Buffer<Cuda>) -> Address {
    *buffer.device_ptr()
}

/// Where the values of a matrix lie. dfdx 0.13 keeps the address to itself, but it prints it: this reads the number
/// after `cu_device_ptr: ` of the matrix's `Debug` text, which is written no further than that.
pub(crate) fn at(m: &Matrix<Cuda>) -> Address {
    printed(m).unwrap_or(0)
}

/// The number after `cu_device_ptr: ` in what `shown` prints.
pub(super) fn printed(shown: &impl fmt::Debug) -> Option<Address> {
    let mut reader = super::pointer::Reader::default();
    let _ = write!(reader, "{shown:?}");
    reader.address()
}

impl Host for Cuda {
    fn read(&self, buffer: &Buffer<Self>) -> Result<Vec<f32>, CudaError> {
        engine()?.take(buffer_at(buffer), Storage::<f32>::len(self, buffer))
    }

    fn describe(&self) -> String {
        let found = engine().and_then(|engine| engine.describe());
        found.unwrap_or_else(|why| format!("a GPU that does not say what it is: {why}"))
    }

    fn finish(&self) -> Result<(), CudaError> {
        engine()?.finish()
    }

    fn memory_used(&self) -> Option<usize> {
        let (free, whole) = engine().and_then(|engine| engine.memory_info()).ok()?;
        Some(whole - free)
    }
}

/// A matrix of zeros on the GPU, for a kernel to write.
pub(crate) fn empty(device: &Cuda, shape: (usize, usize)) -> Result<Matrix<Cuda>, CudaError> {
    dfdx::tensor::ZerosTensor::<f32>::try_zeros_like(device, &shape)
}
