//! How loud a voice speaks by itself.

use crate::audio::loudness::integrated;
use crate::error::Result;
use crate::synthesizer::{SpeechOptions, Synthesizer};
use crate::text::FrontEnd;
use crate::voice::Voice;

/// Half a minute of statements, questions, names, numbers and a list, in no order that any other text has.
const TEXT: &str = "\
The baker on our street opens before sunrise, and by seven her shelves are nearly empty.
Have you seen where I put the blue folder? It was on the desk a minute ago.
On the fourteenth of March, two hundred and sixty people crossed the old bridge on foot.
No, thank you, I would rather walk. Rain never hurt anybody!
We need flour, butter, a dozen eggs, some cinnamon, and two ripe pears.
Doctor Alvarez told the council that the well was safe, but few of them believed him.
Although the engine had been repaired twice, it coughed all the way to the harbour and stopped just short of the pier.
Good night, Thomas. See you on Monday at half past nine.";

/// Integrated loudness of what the models of `voice` give for a text of half a minute, in LUFS; none if that is silence.
pub fn measure(mut voice: Voice) -> Result<Option<f64>> {
    voice.config.loudness = None; // which leaves its speech as it is
    let synthesizer = Synthesizer::new(voice, FrontEnd::new()?);
    integrated(&synthesizer.samples(TEXT, &SpeechOptions::default())?, synthesizer.sample_rate())
}
