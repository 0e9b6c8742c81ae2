//! What a package of the program holds besides it, and the voices that it finds.

use std::fs;

use crate::{Desk, stdout, succeeds};

#[test]
fn manual_pages_tell_of_every_command_its_options_and_the_exit_codes() {
    let desk = Desk::new();
    succeeds(&desk.plain(&["generate", "man", "--out-dir", "."]));
    let page = |name: &str| fs::read_to_string(desk.path(name)).unwrap();
    for command in ["speak", "batch", "inspect", "encode", "decode", "phonemize", "voices", "bench", "train"] {
        assert!(page(&format!("tts-{command}.1")).contains("Examples:"), "{command}");
        assert!(page("tts.1").contains(&format!("tts\\-{command}(1)")), "{command}");
    }
    for part in ["Exit codes:", "TTS_VOICES", "config.toml"] {
        assert!(page("tts.1").contains(part), "{part}");
    }
    assert!(page("tts-batch.1").contains("resume"));
    assert!(!desk.files().contains(&"tts-generate.1".to_string()));
}

#[test]
fn completions_know_the_commands_and_their_options() {
    let desk = Desk::new();
    for (shell, file) in [("bash", "tts.bash"), ("zsh", "_tts"), ("fish", "tts.fish")] {
        succeeds(&desk.plain(&["generate", "completions", shell, "--out-dir", "."]));
        let text = fs::read_to_string(desk.path(file)).unwrap();
        assert!(text.contains("phonemize") && text.contains("nar-steps"), "{shell}");
    }
}

#[test]
fn a_voice_in_the_users_data_folder_is_found_by_name_and_shown_with_its_card() {
    let desk = Desk::new();
    let folder = desk.path(".data/tts/voices/berta");
    fs::create_dir_all(&folder).unwrap();
    for entry in fs::read_dir(desk.voice.path()).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), folder.join(entry.file_name())).unwrap();
    }
    let row = || {
        let output = desk.plain(&["voices"]);
        assert!(output.status.success());
        stdout(&output).lines().find(|line| line.starts_with("berta ")).unwrap().to_string()
    };
    assert!(row().contains("no card") && row().contains(folder.to_str().unwrap()), "{}", row());
    fs::write(folder.join("CARD.md"), "# berta\n").unwrap();
    assert!(row().ends_with(folder.join("CARD.md").to_str().unwrap()), "{}", row());
    succeeds(&desk.plain(&["hello", "--out", "a.wav", "--voice", "berta"]));
}
