//! Compiles the C++ shim against libtorch's headers and tells the linker where libtorch lies: in the folder used for
//! the build, or in `../lib/tts` beside an installed binary. torch-sys says which folder that is.
//! Writes misaki's dictionaries in a form that needs no loading.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::{env, fs};

use misaki_rs::data::{load_us_gold, load_us_silver};
use misaki_rs::lexicon::PhonemeEntry;

fn main() {
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo names a folder for what is built"));
    write_dictionary(&out.join("gold.tsv"), load_us_gold());
    write_dictionary(&out.join("silver.tsv"), load_us_silver());
    build_shim();
}

/// Lines `word<TAB>phonemes`, or `word<TAB>TAG=phonemes TAG=phonemes` where the reading depends on the part of speech (none
/// after `=`: no reading), sorted by the bytes of the words.
fn write_dictionary(path: &Path, entries: HashMap<String, PhonemeEntry>) {
    let value = |entry| match entry {
        PhonemeEntry::Simple(phonemes) => phonemes,
        PhonemeEntry::Tagged(readings) => {
            let reading = |(tag, phonemes): (String, Option<String>)| format!("{tag}={}", phonemes.unwrap_or_default());
            let mut readings: Vec<String> = readings.into_iter().map(reading).collect();
            readings.sort();
            readings.join(" ")
        }
    };
    let mut lines: Vec<(String, String)> = entries.into_iter().map(|(word, entry)| (word, value(entry))).collect();
    lines.sort();
    let table: String = lines.into_iter().map(|(word, value)| format!("{word}\t{value}\n")).collect();
    fs::write(path, table).expect("the folder for what is built can be written");
}

fn build_shim() {
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
