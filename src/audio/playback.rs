//! Sound out of the speakers while it is being made: a bounded queue lies between the maker and the device's callback, which
//! only copies.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use cpal::traits::{DeviceTrait, StreamTrait};
use cpal::{
    BufferSize, ErrorKind, FromSample, I24, OutputCallbackInfo, Sample, SampleFormat, SizedSample, Stream,
    StreamConfig, SupportedBufferSize, SupportedStreamConfig,
};
use rtrb::{Consumer, Producer, RingBuffer};

use super::devices;
use super::sink::Sink;
use crate::error::{Error, Result};

/// Seconds of sound that the queue holds.
const QUEUE_SECONDS: usize = 10;
/// Part of a second that the device asks for at a time.
const PERIODS: u32 = 10;
/// How often the maker looks whether the queue has room, and how often in vain before the device counts as dead.
const WAIT: Duration = Duration::from_millis(5);
const LONGEST_WAIT: u32 = 2000;

/// The speakers, or what stands for them.
pub struct Speakers {
    stream: Stream,
    queue: Producer<f32>,
    shared: Arc<Shared>,
    config: StreamConfig,
    playing: bool,
}

/// Times when the device asked for sound that was not there yet.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Gaps {
    pub count: u64,
    pub silence: Duration,
}

/// Where to read the gaps, also after the end.
pub struct GapCounter(Arc<Shared>, u32);

#[derive(Default)]
struct Shared {
    /// No more samples will come.
    complete: AtomicBool,
    callbacks: AtomicU64,
    gaps: AtomicU64,
    /// Silent frames in those gaps.
    missing: AtomicU64,
    /// Frames that the device asked for since the last sample.
    tail: AtomicU64,
    /// Frames between callback and ear, at most.
    delay: AtomicU64,
    failure: Mutex<Option<String>>,
}

impl Speakers {
    /// Opens the device of that name (see [`devices::list`]), or else the default one.
    pub fn open(name: Option<&str>) -> Result<Self> {
        let device = devices::find(name)?;
        let fail = |e: cpal::Error| Error::Playback(format!("the sound device {device} cannot be opened: {e}"));
        let supported = device.default_output_config().map_err(fail)?;
        let mut config = supported.config();
        config.buffer_size = buffer_size(&supported);
        let shared = Arc::new(Shared::default());
        let (queue, source) = RingBuffer::new(QUEUE_SECONDS * config.sample_rate as usize);
        let callback = Callback { queue: source, shared: shared.clone(), config, heard: false, dry: false };
        let stream = build(&device, supported.sample_format(), callback).map_err(fail)?;
        Ok(Self { stream, queue, shared, config, playing: false })
    }

    pub fn gaps(&self) -> GapCounter {
        GapCounter(self.shared.clone(), self.config.sample_rate)
    }

    /// Waits until `ready`, as long as the device goes on.
    fn wait(&mut self, mut ready: impl FnMut(&Self) -> bool) -> Result<()> {
        let (mut callbacks, mut waited) = (0, 0);
        while !ready(self) {
            if let Some(failure) = self.shared.failure.lock().unwrap_or_else(PoisonError::into_inner).take() {
                return Err(Error::Playback(format!("playback broke off: {failure}")));
            }
            let now = self.shared.callbacks.load(Ordering::Relaxed);
            waited = if now == callbacks { waited + 1 } else { 0 };
            callbacks = now;
            if waited > LONGEST_WAIT {
                return Err(Error::Playback("the sound device has stopped taking sound".into()));
            }
            thread::sleep(WAIT);
        }
        Ok(())
    }

    fn play(&mut self) -> Result<()> {
        if !self.playing {
            self.stream.play().map_err(|e| Error::Playback(format!("the sound device cannot be started: {e}")))?;
            self.playing = true;
        }
        Ok(())
    }
}

impl Sink for Speakers {
    fn sample_rate(&self) -> u32 {
        self.config.sample_rate
    }

    /// Waits where the queue is full.
    fn push(&mut self, samples: &[f32]) -> Result<()> {
        let mut rest = samples;
        while !rest.is_empty() {
            self.wait(|speakers| !speakers.queue.is_full())?;
            (_, rest) = self.queue.push_partial_slice(rest);
            self.play()?;
        }
        Ok(())
    }

    /// Waits until the last sample has been heard.
    fn finish(mut self) -> Result<()> {
        self.shared.complete.store(true, Ordering::Release);
        self.play()?;
        self.wait(|speakers| {
            let shared = &speakers.shared;
            let heard = shared.tail.load(Ordering::Acquire) > shared.delay.load(Ordering::Acquire);
            heard && speakers.queue.slots() == speakers.queue.buffer().capacity()
        })
    }
}

impl GapCounter {
    pub fn read(&self) -> Gaps {
        let missing = self.0.missing.load(Ordering::Relaxed) as f64;
        let silence = Duration::from_secs_f64(missing / f64::from(self.1));
        Gaps { count: self.0.gaps.load(Ordering::Relaxed), silence }
    }
}

/// What runs in the device's thread.
struct Callback {
    queue: Consumer<f32>,
    shared: Arc<Shared>,
    config: StreamConfig,
    /// The first sample has been given.
    heard: bool,
    /// The queue was empty at the end of the last call.
    dry: bool,
}

impl Callback {
    fn fill<T: Sample + FromSample<f32>>(&mut self, data: &mut [T], info: &OutputCallbackInfo) {
        let complete = self.shared.complete.load(Ordering::Acquire); // before the queue is looked at
        let channels = usize::from(self.config.channels);
        let frames = data.len() / channels;
        let ready = self.queue.slots().min(frames);
        data.fill(T::EQUILIBRIUM);
        if let Ok(samples) = self.queue.read_chunk(ready) {
            for (frame, sample) in data.chunks_exact_mut(channels).zip(samples) {
                frame[..channels.min(2)].fill(T::from_sample(sample)); // more than two are for the room
            }
        }
        let latency = info.timestamp().playback.duration_since(info.timestamp().callback).as_secs_f64();
        let delay = (latency * f64::from(self.config.sample_rate)) as u64 + 2 * frames as u64;
        self.shared.delay.fetch_max(delay, Ordering::Release);
        self.count(ready, (frames - ready) as u64, complete);
    }

    /// Keeps account of a call that gave `ready` samples and `missing` frames of silence.
    fn count(&mut self, ready: usize, missing: u64, complete: bool) {
        let shared = &self.shared;
        shared.callbacks.fetch_add(1, Ordering::Relaxed);
        self.heard |= ready > 0;
        if ready > 0 {
            shared.tail.store(0, Ordering::Release);
            self.dry = false;
        }
        if missing > 0 && complete {
            shared.tail.fetch_add(missing, Ordering::Release);
        } else if missing > 0 && self.heard {
            shared.gaps.fetch_add(u64::from(!self.dry), Ordering::Relaxed);
            shared.missing.fetch_add(missing, Ordering::Relaxed);
            self.dry = true;
        }
    }
}

/// A device that cannot do this length chooses its own.
fn buffer_size(supported: &SupportedStreamConfig) -> BufferSize {
    match supported.buffer_size() {
        SupportedBufferSize::Range { min, max } => {
            BufferSize::Fixed((supported.sample_rate() / PERIODS).clamp(*min, *max))
        }
        SupportedBufferSize::Unknown => BufferSize::Default,
    }
}

fn build(device: &cpal::Device, format: SampleFormat, callback: Callback) -> std::result::Result<Stream, cpal::Error> {
    match format {
        SampleFormat::I8 => start::<i8>(device, callback),
        SampleFormat::I16 => start::<i16>(device, callback),
        SampleFormat::I24 => start::<I24>(device, callback),
        SampleFormat::I32 => start::<i32>(device, callback),
        SampleFormat::U8 => start::<u8>(device, callback),
        SampleFormat::U16 => start::<u16>(device, callback),
        SampleFormat::U32 => start::<u32>(device, callback),
        SampleFormat::F32 => start::<f32>(device, callback),
        SampleFormat::F64 => start::<f64>(device, callback),
        other => {
            let reason = format!("its sample format {other} is not supported");
            Err(cpal::Error::with_message(ErrorKind::UnsupportedConfig, reason))
        }
    }
}

fn start<T>(device: &cpal::Device, mut callback: Callback) -> std::result::Result<Stream, cpal::Error>
where
    T: SizedSample + FromSample<f32>,
{
    let shared = callback.shared.clone();
    let on_error = move |error: cpal::Error| match error.kind() {
        ErrorKind::Xrun => {
            shared.gaps.fetch_add(1, Ordering::Relaxed);
        }
        ErrorKind::RealtimeDenied | ErrorKind::DeviceChanged => {}
        _ => *shared.failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(error.to_string()),
    };
    let config = callback.config;
    device.build_output_stream::<T, _, _>(config, move |data, info| callback.fill(data, info), on_error, None)
}
