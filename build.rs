//! Compiles the C++ shim against libtorch's headers and tells the linker where libtorch lies: in the folder used for
//! the build, or in `../lib/tts` beside an installed binary. torch-sys says which folder that is.

use std::{env, path::PathBuf};

fn main() {
    let lib = env::var("DEP_TCH_LIBTORCH_LIB").expect("torch-sys names libtorch's lib folder");
    let include = PathBuf::from(&lib).with_file_name("include");

    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=src/shim");
    cc::Build::new()
        .cpp(true)
        .std("c++17")
        .opt_level(3)
        .flag("-fopenmp-simd")
        .warnings(false)
        .define("_GLIBCXX_USE_CXX11_ABI", "1")
        .include(&include)
        .include(include.join("torch/csrc/api/include"))
        .file("src/shim/shim.cpp")
        .compile("tts_shim");

    // RUNPATH rather than RPATH, so that LD_LIBRARY_PATH can put a CUDA libtorch of the same version in front.
    println!("cargo:rustc-link-arg=-Wl,--enable-new-dtags");
    println!("cargo:rustc-link-arg=-Wl,-rpath,$ORIGIN/../lib/tts");
    println!("cargo:rustc-link-arg=-Wl,-rpath,{lib}");
}
