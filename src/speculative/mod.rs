//! Speculative decoding of the coarse model: drafters guess the next frames cheaply, the model checks all guesses in one pass,
//! and speaks on from where they went wrong (Leviathan et al. 2023, arXiv:2211.17192; Chen et al. 2023, arXiv:2302.01318).
//!
//! Exact by construction: every frame is drawn from the model's own logits with the noise of its position, and a guess only
//! saves the pass that would have led there. With Gumbel noise keyed by seed and position, what is drawn does not depend on
//! what was guessed, and drafters can share the noise. Guesses of several drafters are checked together as a tree
//! (SpecInfer, arXiv:2305.09781). Without a drafter this is plain autoregressive decoding. Knows nothing of text and audio.

pub mod heads;
pub mod retrieval;
pub mod small;

use tch::{Kind, Tensor};

use crate::coarse::{CoarseModel, CoarseState, Frame, Place};
use crate::error::{Error, Result};
use crate::sampling::SamplingOptions;

/// Longest stay at one phoneme, in frames; the pointer is then moved on.
const LONGEST_STAY: i64 = 40;

/// Who guesses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Draft {
    /// Nobody: one frame a pass.
    #[default]
    None,
    /// Heads on the model itself ([`heads`]).
    Heads,
    /// A smaller model ([`small`]).
    Small,
    /// A search in the codes of the training speech ([`retrieval`]).
    Retrieval,
    /// All of them.
    All,
}

/// How to guess, and which guesses to take.
#[derive(Debug, Clone, PartialEq)]
pub struct DraftOptions {
    pub draft: Draft,
    /// Frames that a drafter guesses, 1 to 16.
    pub len: usize,
    /// A guessed token is taken for the drawn one if their codebook vectors are at most this far apart, in units of the
    /// vectors' root mean square distance from their mean; 0 takes nothing but the drawn one. 0 to 2.
    pub tolerance: f64,
}

impl Default for DraftOptions {
    fn default() -> Self {
        Self { draft: Draft::None, len: 3, tolerance: 0.0 }
    }
}

impl DraftOptions {
    /// Says which option is out of its range.
    pub fn validate(&self) -> Result<()> {
        if !(1..=16).contains(&self.len) {
            return Err(Error::Option(format!("draft-len is {}, expected 1 to 16", self.len)));
        }
        if !(0.0..=2.0).contains(&self.tolerance) {
            return Err(Error::Option(format!("tolerance is {}, expected 0 to 2", self.tolerance)));
        }
        Ok(())
    }
}

/// What guessing came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Passes of the model that makes coarse tokens.
    pub passes: u64,
    /// Frames that they made.
    pub frames: u64,
    /// Frames that were guessed, each place in the tree counted once.
    pub guessed: u64,
    /// Guesses that were taken.
    pub taken: u64,
}

impl std::ops::AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.passes += other.passes;
        self.frames += other.frames;
        self.guessed += other.guessed;
        self.taken += other.taken;
    }
}

/// How frames are drawn from a model's states, wherever in a sequence they stand.
#[derive(Debug)]
pub struct FrameSampler<'a> {
    pub options: &'a SamplingOptions,
    /// Number of the sequence: every utterance draws numbers of its own.
    pub sequence: u64,
    /// Symbols of the sequence; the first and the last one stand for silence.
    pub symbols: i64,
    /// Longest silence before and after, in frames.
    pub longest_silence: i64,
}

impl FrameSampler<'_> {
    /// Frames after which the pointer is moved on.
    fn longest_stay(&self, pointer: i64) -> i64 {
        if pointer == 0 || pointer == self.symbols - 1 { self.longest_silence } else { LONGEST_STAY }
    }

    /// Draws frame number `position` from its state `[1, 1, C]` and the logits of its token.
    fn draw(&self, model: &CoarseModel, state: &Tensor, logits: &[f32], place: Place, position: u64) -> Result<Frame> {
        let token = self.options.draw(logits, self.sequence, 2 * position) as i64;
        self.advance(model, state, token, place, position)
    }

    /// Draws the advance after `token`.
    fn advance(&self, model: &CoarseModel, state: &Tensor, token: i64, place: Place, position: u64) -> Result<Frame> {
        let index = Tensor::full([1, 1], token, (Kind::Int64, state.device()));
        let logits = Vec::<f32>::try_from(model.advance_logits(state, &index).view([-1]))?;
        let advance = self.options.draw(&logits, self.sequence, 2 * position + 1) as i64;
        let moves_on = place.stay + 1 >= self.longest_stay(place.pointer);
        Ok(Frame { token, advance: if moves_on { advance.max(1) } else { advance } })
    }
}

/// What a drafter knows.
#[derive(Debug)]
pub struct Context<'a> {
    pub model: &'a CoarseModel,
    pub state: &'a CoarseState,
    /// The model's state of the last frame, `[1, 1, C]`; none at the start.
    pub last: Option<&'a Tensor>,
    pub sampler: &'a FrameSampler<'a>,
    /// All frames so far.
    pub frames: &'a [Frame],
}

/// Guesses the next frames.
pub trait Drafter {
    /// Up to `len` frames that may come next.
    fn guess(&mut self, context: &Context, len: usize) -> Result<Vec<Frame>>;
}

/// A frame that has become true.
#[derive(Debug)]
pub struct Spoken {
    pub frame: Frame,
    /// Phoneme that it speaks.
    pub pointer: i64,
    /// The model's state of it, `[1, 1, C]`.
    pub state: Tensor,
    /// Number of the pass that made it, from 1.
    pub pass: u64,
}

/// An autoregressive generation on its way.
pub struct Decoding<'a> {
    model: &'a CoarseModel,
    sampler: FrameSampler<'a>,
    drafters: Vec<Box<dyn Drafter + 'a>>,
    options: &'a DraftOptions,
    /// Vectors of codebook 0, `[codebook_size, D]`.
    codebook: &'a Tensor,
    state: CoarseState,
    last: Option<Tensor>,
    frames: Vec<Frame>,
    passes: u64,
    tally: Tally,
}

impl<'a> Decoding<'a> {
    /// At the start of the phonemes that `state` was made from.
    pub fn new(
        model: &'a CoarseModel,
        state: CoarseState,
        sampler: FrameSampler<'a>,
        drafters: Vec<Box<dyn Drafter + 'a>>,
        options: &'a DraftOptions,
        codebook: &'a Tensor,
    ) -> Self {
        let (last, frames, tally) = (None, Vec::new(), Tally::default());
        Self { model, sampler, drafters, options, codebook, state, last, frames, passes: 0, tally }
    }

    pub fn is_finished(&self) -> bool {
        self.state.is_finished()
    }

    /// What guessing has come to since this was last asked.
    pub fn take_tally(&mut self) -> Tally {
        std::mem::take(&mut self.tally)
    }

    /// One pass: the next frame, and those that were guessed well.
    pub fn next_frames(&mut self) -> Result<Vec<Spoken>> {
        let tree = self.guesses()?;
        self.passes += 1;
        let (states, extension) = self.model.extend(&tree.places, &tree.parents, &self.state);
        let logits = self.model.token_logits(&states).squeeze_dim(0);
        let (mut row, mut rows, mut spoken) = (0, Vec::new(), Vec::new());
        loop {
            let place = tree.places[row];
            let state = states.narrow(1, row as i64, 1);
            let position = self.frames.len() as u64;
            let logits = Vec::<f32>::try_from(logits.get(row as i64))?;
            let mut frame = self.sampler.draw(self.model, &state, &logits, place, position)?;
            if let Some(token) = self.tolerated(&tree, row, frame.token) {
                frame = self.sampler.advance(self.model, &state, token, place, position)?;
            }
            rows.push(row as i64);
            self.frames.push(frame);
            spoken.push(Spoken { frame, pointer: place.pointer, state, pass: self.passes });
            match tree.child(row, frame) {
                Some(child) => row = child,
                None => {
                    self.state.keep(&extension, &rows, place.after(frame));
                    break;
                }
            }
        }
        self.last = spoken.last().map(|s| s.state.shallow_clone());
        self.tally += Tally {
            passes: 1,
            frames: rows.len() as u64,
            guessed: tree.places.len() as u64 - 1,
            taken: rows.len() as u64 - 1,
        };
        Ok(spoken)
    }

    /// The next frame's place, and those after the guesses.
    fn guesses(&mut self) -> Result<Tree> {
        let Self { model, sampler, state, last, frames, .. } = self;
        let mut tree = Tree::new(state.place());
        let context = Context { model, state, last: last.as_ref(), sampler, frames };
        for drafter in &mut self.drafters {
            let mut row = 0;
            for frame in drafter.guess(&context, self.options.len)? {
                let place = tree.places[row].after(frame);
                if state.has_left(place) {
                    break;
                }
                row = tree.grow(row, frame, place);
            }
        }
        Ok(tree)
    }

    /// The token guessed after `row` that is nearest to the one drawn, if it is near enough to stand for it.
    fn tolerated(&self, tree: &Tree, row: usize, drawn: i64) -> Option<i64> {
        if self.options.tolerance == 0.0 {
            return None;
        }
        let spread = self.codebook - self.codebook.mean_dim([0i64].as_slice(), true, Kind::Float);
        let scale = spread.square().sum_dim_intlist([1i64].as_slice(), false, Kind::Float).mean(Kind::Float).sqrt();
        let distance = |token: i64| {
            let apart = (self.codebook.get(token) - self.codebook.get(drawn)).square().sum(Kind::Float).sqrt();
            (apart / &scale).double_value(&[])
        };
        let guessed = tree.children(row).map(|child| tree.frames[child].token);
        let nearest = guessed.map(|token| (token, distance(token))).min_by(|a, b| a.1.total_cmp(&b.1));
        nearest.filter(|&(_, apart)| apart <= self.options.tolerance).map(|(token, _)| token)
    }
}

/// Guessed frames, those that begin alike sharing their beginning.
struct Tree {
    /// Where the frame that follows each row's guess stands; row 0 is the next frame and follows what is true already.
    places: Vec<Place>,
    parents: Vec<i64>,
    /// The guess that leads to each row; of no meaning for row 0.
    frames: Vec<Frame>,
}

impl Tree {
    fn new(next: Place) -> Self {
        Self { places: vec![next], parents: vec![-1], frames: vec![Frame { token: next.previous, advance: 0 }] }
    }

    fn children(&self, row: usize) -> impl Iterator<Item = usize> {
        (row + 1..self.parents.len()).filter(move |&child| self.parents[child] == row as i64)
    }

    fn child(&self, row: usize, frame: Frame) -> Option<usize> {
        self.children(row).find(|&child| self.frames[child] == frame)
    }

    /// The row after `frame`, new if need be.
    fn grow(&mut self, row: usize, frame: Frame, place: Place) -> usize {
        self.child(row, frame).unwrap_or_else(|| {
            self.places.push(place);
            self.parents.push(row as i64);
            self.frames.push(frame);
            self.places.len() - 1
        })
    }
}
