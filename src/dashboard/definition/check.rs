//! What a document must hold to. Every refusal names the panel, the field and what to do.

use std::collections::HashSet;
use std::time::Duration;

use super::draft::{PanelDraft, QueryDraft, read};
use super::{Access, COLUMNS, Dashboard, Draft, Panel, PanelQuery, PanelType, Theme};
use crate::clock::parse_duration;
use crate::dashboard::DashboardError;
use crate::dashboard::chart::CHARTS;
use crate::dashboard::variables::Variables;
use crate::query::{Yields, outline};

/// More do not fit on any screen, and each costs a query a tick.
const MAX_PANELS: usize = 64;
const MAX_QUERIES: usize = 20;
const MAX_ID_BYTES: usize = 64;
const MAX_TITLE_CHARS: usize = 120;
const MAX_SUBTITLE_CHARS: usize = 200;
const MAX_LEGEND_CHARS: usize = 200;
const MAX_UNIT_CHARS: usize = 24;
const MAX_OPTIONS_BYTES: usize = 16 << 10;
const MAX_ROW: i64 = 999;
const MAX_HEIGHT: i64 = 12;
const REFRESH: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(86_400));
const RANGE: (Duration, Duration) = (Duration::from_secs(60), Duration::from_secs(5 * 365 * 86_400));
/// Words that stand where ids stand in paths.
const RESERVED: [&str; 5] = ["list", "stats", "create", "connections", "new"];

type Checked<T> = Result<T, DashboardError>;

fn refuse<T>(field: impl Into<String>, reason: impl Into<String>) -> Checked<T> {
    Err(DashboardError::invalid(field, reason))
}

impl Draft {
    /// The document, if all of it is right; without an id of its own it gets `id`.
    ///
    /// # Errors
    /// What is wrong first, with panel and field.
    pub fn checked(self, id: impl FnOnce(&str) -> String) -> Result<Dashboard, DashboardError> {
        let title = line("title", "the title", self.title, 1, MAX_TITLE_CHARS)?;
        let id = match self.id {
            Some(id) => id,
            None => id(&slug(&title)),
        };
        check_id("id", &id)?;
        if RESERVED.contains(&id.as_str()) {
            return refuse("id", format!("the id {id:?} is a word of the API: choose another"));
        }
        if self.panels.len() > MAX_PANELS {
            return refuse("panels", format!("{} panels, a dashboard has at most {MAX_PANELS}", self.panels.len()));
        }
        let subtitle = self.subtitle.map(|text| line("subtitle", "the subtitle", text, 0, MAX_SUBTITLE_CHARS)).transpose()?;
        let access = word("access", self.access, Access::Viewer, &Access::ALL)?;
        let theme = word("theme", self.theme, Theme::Auto, &Theme::ALL)?;
        let refresh = self.refresh.map(|lapse| duration("refresh", lapse.text(), REFRESH)).transpose()?;
        let range = self.range.map(|lapse| duration("range", lapse.text(), RANGE)).transpose()?;
        let mut panels = Vec::with_capacity(self.panels.len());
        for (index, value) in self.panels.into_iter().enumerate() {
            let path = format!("panels[{index}]");
            panels.push(panel(&path, read(&path, value)?)?);
        }
        name_panels(&mut panels)?;
        check_overlaps(&panels)?;
        Ok(Dashboard { id, title, subtitle, access, theme, refresh, range, panels })
    }
}

/// A title as an id: small letters, digits and hyphens.
fn slug(title: &str) -> String {
    let mut out = String::new();
    for c in title.chars() {
        if c.is_ascii_alphanumeric() {
            out.push(c.to_ascii_lowercase());
        } else if !out.is_empty() && !out.ends_with('-') {
            out.push('-');
        }
        if out.len() == MAX_ID_BYTES / 2 {
            break;
        }
    }
    let out = out.trim_end_matches('-');
    if out.is_empty() { "dashboard".to_owned() } else { out.to_owned() }
}

fn check_id(field: &str, id: &str) -> Checked<()> {
    let good = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let first = id.chars().next().is_some_and(|c| c.is_ascii_alphanumeric());
    if first && id.len() <= MAX_ID_BYTES && id.chars().all(good) {
        return Ok(());
    }
    refuse(field, format!("the id {id:?} is not one: use 1 to {MAX_ID_BYTES} letters, digits, - and _, a letter or digit first"))
}

fn line(field: &str, what: &str, text: String, least: usize, most: usize) -> Checked<String> {
    let text = text.trim().to_owned();
    let length = text.chars().count();
    if length < least {
        return refuse(field, format!("{what} is empty"));
    }
    if length > most {
        return refuse(field, format!("{what} has {length} characters, at most {most} are shown"));
    }
    if text.chars().any(char::is_control) {
        return refuse(field, format!("{what} is one line without control characters"));
    }
    Ok(text)
}

fn word<T: Copy>(field: &str, given: Option<String>, default: T, known: &[(&str, T)]) -> Checked<T> {
    let Some(given) = given else { return Ok(default) };
    if let Some((_, found)) = known.iter().find(|(name, _)| *name == given) {
        return Ok(*found);
    }
    let names: Vec<&str> = known.iter().map(|(name, _)| *name).collect();
    refuse(field, format!("{given:?} is not a {field}: {}", names.join(", ")))
}

fn duration(field: &str, text: String, (least, most): (Duration, Duration)) -> Checked<String> {
    let length = parse_duration(&text).or_else(|e| refuse(field, format!("{field}: {e}")))?;
    if length < least || length > most {
        return refuse(field, format!("{field} is {text}: it lies between {} s and {} days", least.as_secs(), most.as_secs() / 86_400));
    }
    Ok(text)
}

fn panel(path: &str, draft: PanelDraft) -> Checked<Panel> {
    let name = draft.id.clone().unwrap_or_else(|| draft.title.clone());
    let at = |field: &str| format!("{path}.{field}");
    if let Some(id) = &draft.id {
        check_id(&at("id"), id)?;
    }
    let title = line(&at("title"), &format!("the title of panel {name:?}"), draft.title, 0, MAX_TITLE_CHARS)?;
    let subtitle = draft.subtitle.map(|text| line(&at("subtitle"), &format!("the subtitle of panel {name:?}"), text, 0, MAX_SUBTITLE_CHARS)).transpose()?;
    let Some(kind) = PanelType::parse(&draft.kind) else {
        let known: Vec<&str> = CHARTS.iter().map(|chart| chart.name).collect();
        return refuse(at("type"), format!("panel {name:?} has the type {:?}, which does not exist: {}", draft.kind, known.join(", ")));
    };
    let (x, y, w, h) = place(path, &name, [draft.x, draft.y, draft.w, draft.h])?;
    let queries = queries(path, &name, draft.query, draft.queries)?;
    let unit = draft.unit.map(|text| line(&at("unit"), &format!("the unit of panel {name:?}"), text, 0, MAX_UNIT_CHARS)).transpose()?;
    let options = draft.options.unwrap_or_default();
    let bytes = serde_json::to_string(&options).map_or(0, |text| text.len());
    if bytes > MAX_OPTIONS_BYTES {
        return refuse(at("options"), format!("the options of panel {name:?} have {bytes} bytes, at most {MAX_OPTIONS_BYTES} are kept"));
    }
    if let Err((key, reason)) = kind.chart().check(&options, queries.len()) {
        return refuse(at(&format!("options.{key}")), format!("panel {name:?}: options.{key} {reason}"));
    }
    Ok(Panel { id: draft.id.unwrap_or_default(), title, subtitle, kind, queries, x, y, w, h, unit, options })
}

/// Column, row, width and height on the grid.
fn place(path: &str, name: &str, [x, y, w, h]: [i64; 4]) -> Checked<(u16, u16, u16, u16)> {
    let columns = i64::from(COLUMNS);
    let bounds = [("x", x, 0, columns - 1), ("y", y, 0, MAX_ROW), ("w", w, 1, columns), ("h", h, 1, MAX_HEIGHT)];
    for (field, value, least, most) in bounds {
        if value < least || value > most {
            return refuse(format!("{path}.{field}"), format!("panel {name:?}: {field} is {value}, it lies between {least} and {most}"));
        }
    }
    if x + w > columns {
        return refuse(format!("{path}.w"), format!("panel {name:?} ends at column {}, the grid has {columns}: make it narrower or move it left", x + w));
    }
    Ok((x as u16, y as u16, w as u16, h as u16))
}

fn queries(path: &str, name: &str, one: Option<String>, many: Option<Vec<serde_json::Value>>) -> Checked<Vec<PanelQuery>> {
    let drafts: Vec<(String, QueryDraft)> = match (one, many) {
        (Some(_), Some(_)) => return refuse(format!("{path}.query"), format!("panel {name:?} has query and queries: give one of them")),
        (Some(query), None) => vec![(format!("{path}.query"), QueryDraft { query, legend: None })],
        (None, Some(list)) => {
            let read_one = |(index, value)| {
                let place = format!("{path}.queries[{index}]");
                read(&place, value).map(|draft| (format!("{place}.query"), draft))
            };
            list.into_iter().enumerate().map(read_one).collect::<Checked<_>>()?
        }
        (None, None) => return refuse(format!("{path}.query"), format!("panel {name:?} has no query")),
    };
    if drafts.is_empty() || drafts.len() > MAX_QUERIES {
        return refuse(format!("{path}.queries"), format!("panel {name:?} has {} queries, a panel has 1 to {MAX_QUERIES}", drafts.len()));
    }
    let mut out = Vec::with_capacity(drafts.len());
    for (field, QueryDraft { query, legend }) in drafts {
        check_query(&field, name, &query)?;
        let legend = legend.map(|text| line(&field.replace(".query", ".legend"), &format!("a legend of panel {name:?}"), text, 0, MAX_LEGEND_CHARS));
        out.push(PanelQuery { query, legend: legend.transpose()?.filter(|text| !text.is_empty()) });
    }
    Ok(out)
}

fn check_query(field: &str, name: &str, query: &str) -> Checked<()> {
    if query.trim().is_empty() {
        return refuse(field, format!("panel {name:?}: the query is empty"));
    }
    let outline = outline(&Variables::placeholders(query)).or_else(|flaw| refuse(field, format!("panel {name:?}: {flaw}")))?;
    match outline.yields {
        Yields::Values => Ok(()),
        Yields::Windows => refuse(field, format!("panel {name:?}: the query yields a range vector: put it into a function such as rate()")),
        Yields::Text => refuse(field, format!("panel {name:?}: the query yields a text, not values")),
    }
}

/// Gives ids to panels without one, and refuses ids that stand twice.
fn name_panels(panels: &mut [Panel]) -> Checked<()> {
    let mut taken = HashSet::new();
    for (index, panel) in panels.iter().enumerate().filter(|(_, panel)| !panel.id.is_empty()) {
        if !taken.insert(panel.id.clone()) {
            return refuse(format!("panels[{index}].id"), format!("two panels have the id {:?}", panel.id));
        }
    }
    for panel in panels.iter_mut().filter(|panel| panel.id.is_empty()) {
        let base = slug(&panel.title);
        let candidates = std::iter::once(base.clone()).chain((2..).map(|n| format!("{base}-{n}")));
        panel.id = candidates.into_iter().find(|id| !taken.contains(id)).unwrap_or(base);
        taken.insert(panel.id.clone());
    }
    Ok(())
}

fn check_overlaps(panels: &[Panel]) -> Checked<()> {
    let apart = |a: &Panel, b: &Panel| a.x + a.w <= b.x || b.x + b.w <= a.x || a.y + a.h <= b.y || b.y + b.h <= a.y;
    for (index, later) in panels.iter().enumerate() {
        if let Some(earlier) = panels.iter().take(index).find(|earlier| !apart(earlier, later)) {
            return refuse(format!("panels[{index}]"), format!("the panels {:?} and {:?} overlap: move or shrink one of them", earlier.id, later.id));
        }
    }
    Ok(())
}
