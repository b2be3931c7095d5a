//! What the panels of a dashboard show: over a window, or what is new at a tick.
//!
//! A curve's points lie on multiples of its step, so that they can be kept, and one at the end. Each
//! panel stands alone: one whose query fails says so, and the others are shown. Where the data is
//! younger than the range, steps suit the time since it began. Knows no viewer.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use super::cache::{Cache, Grid, joined};
use super::chart::Need;
use super::data::{DataSeries, Frame, PanelData, PanelState};
use super::missing::missing;
use super::variables::Variables;
use super::{Dashboard, DashboardError, Panel};
use crate::ingest::Registry;
use crate::model::{TimeRange, Timestamp};
use crate::query::{QueryError, Series};
use crate::store::Reader;
use crate::task::Deadline;

/// Steps at which curves are drawn, in milliseconds, so that points lie on round times.
const STEPS_MS: [u64; 24] = [
    1000,
    2000,
    5000,
    10_000,
    15_000,
    20_000,
    30_000,
    60_000,
    120_000,
    300_000,
    600_000,
    900_000,
    1_200_000,
    1_800_000,
    3_600_000,
    7_200_000,
    10_800_000,
    21_600_000,
    43_200_000,
    86_400_000,
    172_800_000,
    345_600_000,
    604_800_000,
    1_209_600_000,
];
/// Series of one panel that are shown; nobody tells more apart.
const MAX_SERIES: usize = 200;
/// A curve gains points at least this often, however long its step.
const SLOWEST_PACE: Duration = Duration::from_secs(10);
/// Between two steps of a curve there are about so many points while somebody watches.
const POINTS_IN_STEP: u32 = 10;
/// Points that anybody may ask for, and strangers.
const MAX_POINTS: u64 = 11_000;
const MAX_POINTS_STRANGER: u64 = 1_500;
/// The longest range that strangers may ask for.
const MAX_RANGE_STRANGER: Duration = Duration::from_secs(31 * 86_400);

/// Which time is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// The first instant.
    pub start: Timestamp,
    /// The last instant.
    pub end: Timestamp,
    /// From point to point; without it one that suits the panel.
    pub step: Option<Duration>,
}

impl Window {
    fn length(&self) -> Duration {
        Duration::from_millis(self.end.0.saturating_sub(self.start.0).max(0).unsigned_abs())
    }

    /// Whether it may be asked for; strangers may ask for less.
    ///
    /// # Errors
    /// It is empty, too long, or has too many points; names the parameter.
    pub fn check(&self, stranger: bool) -> Result<(), DashboardError> {
        if self.end <= self.start {
            return Err(DashboardError::invalid("end", "end must be after start"));
        }
        if self.end.0.checked_sub(self.start.0).is_none() {
            return Err(DashboardError::invalid("start", "the range from start to end is too long"));
        }
        if stranger && self.length() > MAX_RANGE_STRANGER {
            return Err(DashboardError::invalid("start", "without an account the range is at most 31 days"));
        }
        let Some(step) = self.step else { return Ok(()) };
        let most = if stranger { MAX_POINTS_STRANGER } else { MAX_POINTS };
        let points = self.length().as_millis() / step.as_millis().max(1);
        if points > u128::from(most) {
            return Err(DashboardError::invalid("step", format!("{points} points, at most {most} are given: take a longer step or a shorter range")));
        }
        Ok(())
    }
}

/// A window, and from where on there is data in it.
#[derive(Clone, Copy, Debug)]
struct Look {
    window: Window,
    /// The start, or where the data begins if that is later.
    since: Timestamp,
}

impl Look {
    /// For how long there is data.
    fn known(&self) -> Duration {
        Window { start: self.since, ..self.window }.length()
    }
}

/// What was sent of each panel, so that an update says only what is new.
#[derive(Debug)]
pub(super) struct Trail {
    /// The tick before.
    pub(super) before: Timestamp,
    states: HashMap<String, (PanelState, Option<String>)>,
}

impl Trail {
    /// Nothing was sent yet; `before` is the time of the snapshot that viewers get first.
    pub(super) fn after(before: Timestamp) -> Self {
        Self { before, states: HashMap::new() }
    }
}

struct Inner {
    cache: Cache,
    reader: Reader,
    registry: Registry,
    interval: Duration,
    collection: Duration,
    lookback: Duration,
}

/// Makes frames. Sync; run it on the pool. Cheap to clone.
#[derive(Clone)]
pub struct Frames(Arc<Inner>);

impl std::fmt::Debug for Frames {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Frames").finish_non_exhaustive()
    }
}

/// Times between things.
#[derive(Clone, Copy, Debug)]
pub struct Paces {
    /// From frame to frame.
    pub interval: Duration,
    /// From collection to collection while nobody watches.
    pub collection: Duration,
    /// How old the newest sample of a series may be to be shown.
    pub lookback: Duration,
}

impl Frames {
    /// Of what lies behind this cache.
    #[must_use]
    pub fn new(cache: Cache, reader: Reader, registry: Registry, paces: Paces) -> Self {
        let Paces { interval, collection, lookback } = paces;
        Self(Arc::new(Inner { cache, reader, registry, interval, collection, lookback }))
    }

    /// The time that a query may take.
    pub(super) fn timeout(&self) -> Duration {
        self.0.cache.timeout()
    }

    /// What the panels show over a window; of all of them, or of those with these ids.
    ///
    /// # Errors
    /// There is no panel of that id.
    pub fn data(&self, dashboard: &Dashboard, only: Option<&[String]>, window: Window, deadline: &Deadline) -> Result<Frame, DashboardError> {
        let unknown = only.unwrap_or_default().iter().find(|id| !dashboard.panels.iter().any(|panel| panel.id == **id));
        if let Some(id) = unknown {
            return Err(DashboardError::Missing { what: "panel", name: id.clone() });
        }
        let wanted = dashboard.panels.iter().filter(|panel| only.is_none_or(|ids| ids.contains(&panel.id)));
        let look = self.look(window);
        let panels = wanted.map(|panel| (panel.id.clone(), self.panel(panel, look, deadline))).collect();
        Ok(Frame { t: window.end, panels })
    }

    /// Everything that a viewer who comes at the tick `t` sees.
    pub(super) fn snapshot(&self, dashboard: &Dashboard, t: Timestamp, deadline: &Deadline) -> Frame {
        let look = self.look(Window { start: t - dashboard.span(), end: t, step: None });
        let panels = dashboard.panels.iter().map(|panel| (panel.id.clone(), self.panel(panel, look, deadline))).collect();
        Frame { t, panels }
    }

    /// What is newer at the tick `t` than the frame before. Panels with nothing new are left out.
    pub(super) fn update(&self, dashboard: &Dashboard, trail: &mut Trail, t: Timestamp, deadline: &Deadline) -> Frame {
        let mut panels = BTreeMap::new();
        let look = self.look(Window { start: t - dashboard.span(), end: t, step: None });
        for panel in &dashboard.panels {
            let Some(data) = self.news(panel, look, trail.before, deadline) else { continue };
            let state = (data.state, data.message.clone());
            let changed = trail.states.get(&panel.id) != Some(&state);
            if changed || data.state == PanelState::Ok {
                trail.states.insert(panel.id.clone(), state);
                panels.insert(panel.id.clone(), data);
            }
        }
        trail.before = t;
        Frame { t, panels }
    }

    fn look(&self, window: Window) -> Look {
        let begin = self.0.reader.oldest().unwrap_or(window.start);
        Look { window, since: begin.clamp(window.start, window.end.max(window.start)) }
    }

    fn panel(&self, panel: &Panel, look: Look, deadline: &Deadline) -> PanelData {
        let (window, mut step) = (look.window, None);
        let found = panel.queries.iter().enumerate().map(|(index, query)| {
            let need = (panel.kind.chart().need)(&panel.options, index);
            let interval = self.step(need, look);
            let variables = Variables { interval, collection: self.0.collection, range: window.length() };
            let text = variables.fill(&query.query);
            match need {
                Need::Newest => self.0.cache.newest(&text, window.end, deadline),
                Need::Curve { .. } | Need::Steps { .. } => {
                    step = Some(interval);
                    self.curve(&text, need, look, interval, deadline)
                }
            }
        });
        let found: Vec<_> = found.collect();
        let data = self.data_of(panel, found, step);
        if data.state == PanelState::Empty { self.explained(panel, data, window.end, deadline) } else { data }
    }

    /// What is new of a panel in `(before, t]`; `None`: nothing.
    fn news(&self, panel: &Panel, look: Look, before: Timestamp, deadline: &Deadline) -> Option<PanelData> {
        let (t, range) = (look.window.end, look.window.length());
        let (mut step, mut asked, mut newest_alone) = (None, false, true);
        let mut found = Vec::with_capacity(panel.queries.len());
        for (index, query) in panel.queries.iter().enumerate() {
            let need = (panel.kind.chart().need)(&panel.options, index);
            let interval = self.step(need, look);
            let text = Variables { interval, collection: self.0.collection, range }.fill(&query.query);
            newest_alone &= need == Need::Newest;
            step = step.or((need != Need::Newest).then_some(interval));
            found.push(match need {
                Need::Newest => {
                    asked = true;
                    self.0.cache.newest(&text, t, deadline)
                }
                Need::Curve { .. } if is_multiple(t, self.pace(interval)) => {
                    asked = true;
                    self.0.cache.newest(&text, t, deadline)
                }
                Need::Steps { .. } => {
                    let grid = Grid { start: next_multiple(before, interval), end: t, step: interval };
                    asked |= grid.start <= grid.end;
                    self.0.cache.fresh(&text, grid, deadline)
                }
                Need::Curve { .. } => Ok(Vec::new()),
            });
        }
        if !asked {
            return None;
        }
        let data = self.data_of(panel, found, step);
        match data.state {
            // What was drawn before stays; there is only nothing newer.
            PanelState::Empty if !newest_alone => None,
            PanelState::Empty => Some(self.explained(panel, data, t, deadline)),
            _ => Some(data),
        }
    }

    /// Points on multiples of the step in the window, and for curves one at its end. A step that was
    /// asked for counts from the start.
    fn curve(&self, query: &str, need: Need, look: Look, step: Duration, deadline: &Deadline) -> Result<Vec<Series>, QueryError> {
        let window = look.window;
        let start = if window.step.is_some() { window.start } else { next_multiple(window.start.max(look.since - step), step) };
        let series = self.0.cache.curve(query, Grid { start, end: window.end, step }, deadline)?;
        let ends_between = !is_multiple(Timestamp(window.end.0.saturating_sub(start.0)), step);
        if matches!(need, Need::Curve { .. }) && window.step.is_none() && ends_between {
            return Ok(joined(series.to_vec(), self.0.cache.newest(query, window.end, deadline)?));
        }
        Ok(series.to_vec())
    }

    fn step(&self, need: Need, look: Look) -> Duration {
        let points = match need {
            Need::Curve { points } | Need::Steps { points } => points,
            Need::Newest => 360,
        };
        look.window.step.unwrap_or_else(|| nice_step(look.known() / points.max(1)).max(self.0.interval))
    }

    /// How often a curve of this step gains a point while somebody watches.
    fn pace(&self, step: Duration) -> Duration {
        let wished = (step / POINTS_IN_STEP).min(SLOWEST_PACE).as_millis();
        let interval = self.0.interval.as_millis().max(1);
        self.0.interval * u32::try_from((wished / interval).max(1)).unwrap_or(1)
    }

    fn data_of(&self, panel: &Panel, found: Vec<Result<Vec<Series>, QueryError>>, step: Option<Duration>) -> PanelData {
        let mut data = PanelData::new(panel.unit.clone(), step);
        for (index, (found, query)) in found.into_iter().zip(&panel.queries).enumerate() {
            match found {
                Ok(series) => data.series.extend(series.into_iter().map(|series| DataSeries::named(series, index, query.legend.as_deref(), &panel.title))),
                Err(error) => {
                    let which = if panel.queries.len() > 1 { format!("query {}: ", index + 1) } else { String::new() };
                    data.state = PanelState::Error;
                    data.message = Some(format!("{which}{error}"));
                    data.series.clear();
                    return data;
                }
            }
        }
        if data.series.is_empty() {
            data.state = PanelState::Empty;
        } else if data.series.len() > MAX_SERIES {
            data.message = Some(format!("{MAX_SERIES} of {} series are shown: let the query yield fewer, for instance with topk()", data.series.len()));
            data.series.truncate(MAX_SERIES);
        }
        data
    }

    /// Says of an empty panel which metrics it waits for.
    fn explained(&self, panel: &Panel, data: PanelData, end: Timestamp, deadline: &Deadline) -> PanelData {
        let range = TimeRange::new(end - self.0.lookback, end);
        match missing(panel, &self.0.reader, &self.0.registry, range, deadline) {
            Ok((missing, off)) => PanelData { missing, message: off, ..data },
            Err(error) => PanelData { state: PanelState::Error, message: Some(error.to_string()), ..data },
        }
    }
}

/// The shortest round step that is at least `least`.
fn nice_step(least: Duration) -> Duration {
    let least = u64::try_from(least.as_millis()).unwrap_or(u64::MAX);
    let longest = STEPS_MS[STEPS_MS.len() - 1];
    let step = STEPS_MS.iter().copied().find(|step| *step >= least);
    Duration::from_millis(step.unwrap_or_else(|| least.div_ceil(longest).saturating_mul(longest)))
}

fn is_multiple(t: Timestamp, of: Duration) -> bool {
    t.0.rem_euclid(i64::try_from(of.as_millis()).unwrap_or(i64::MAX).max(1)) == 0
}

/// The first multiple of `step` after `t`.
fn next_multiple(t: Timestamp, step: Duration) -> Timestamp {
    let step = i64::try_from(step.as_millis()).unwrap_or(i64::MAX).max(1);
    Timestamp(t.0.div_euclid(step).saturating_add(1).saturating_mul(step))
}
