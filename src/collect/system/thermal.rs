//! Temperatures: the kernel's thermal zones, and hardware monitors through `sysinfo`. A machine
//! without sensors is no error.

use std::path::Path;

use sysinfo::Components;

use super::read::{number, word};
use crate::collect::{CollectError, Gathered, Source};

const ZONES: &str = "/sys/class/thermal";
const MONITORS: &str = "/sys/class/hwmon";

/// Temperatures.
#[derive(Default)]
pub(crate) struct Thermal {
    components: Option<Components>,
}

impl Source for Thermal {
    fn name(&self) -> &str {
        "thermal"
    }

    fn collect(&mut self, out: &mut Gathered) -> Result<(), CollectError> {
        zones(Path::new(ZONES), out);
        if !Path::new(MONITORS).exists() {
            return Ok(());
        }
        let components = match &mut self.components {
            Some(components) => components,
            none => none.insert(Components::new().map_err(|e| CollectError::System { what: "temperatures", reason: e.to_string() })?),
        };
        components.refresh(true);
        for component in components.iter() {
            let Some((monitor, sensor)) = component.id().and_then(|id| id.rsplit_once('_')) else { continue };
            // Without a monitor of that name it is a thermal zone, which is read above.
            let Some(chip) = chip_name(Path::new(MONITORS), monitor) else { continue };
            let labels = [("chip", chip.as_str()), ("sensor", &format!("temp{sensor}"))];
            let mut put = |name: &'static str, help: &'static str, value: Option<f32>| {
                if let Some(value) = value.filter(|value| value.is_finite()) {
                    out.gauge(name, help).put(&labels, round_to_milli(value));
                }
            };
            put("node_hwmon_temp_celsius", "Hardware monitor for temperature (input)", component.temperature());
            put("node_hwmon_temp_crit_celsius", "Hardware monitor for temperature (crit)", component.critical());
        }
        Ok(())
    }
}

/// The kernel gives thousandths; an f32 on its way blurs them.
fn round_to_milli(value: f32) -> f64 {
    (f64::from(value) * 1000.0).round() / 1000.0
}

fn zones(folder: &Path, out: &mut Gathered) {
    let Ok(listing) = std::fs::read_dir(folder) else { return };
    for entry in listing.flatten() {
        let file = entry.file_name();
        let Some(zone) = file.to_str().and_then(|name| name.strip_prefix("thermal_zone")) else { continue };
        // A zone that is switched off cannot be read.
        let Some(milli) = number(&entry.path().join("temp")) else { continue };
        let kind = word(&entry.path().join("type")).unwrap_or_default();
        out.gauge("node_thermal_zone_temp", "Zone temperature in Celsius").put(&[("type", &kind), ("zone", zone)], milli / 1000.0);
    }
}

/// node_exporter's name of a monitor: kind and name of the device behind it, which stay the same
/// over boots, else the name that the driver gives.
fn chip_name(monitors: &Path, monitor: &str) -> Option<String> {
    let folder = monitors.join(monitor);
    if !folder.exists() {
        return None;
    }
    if let Ok(device) = std::fs::canonicalize(folder.join("device")) {
        let part = |path: Option<&Path>| path.and_then(Path::file_name).map(|name| clean(&name.to_string_lossy())).unwrap_or_default();
        let (name, kind) = (part(Some(&device)), part(device.parent()));
        if !name.is_empty() {
            return Some(if kind.is_empty() { name } else { format!("{kind}_{name}") });
        }
    }
    Some(clean(&word(&folder.join("name")).unwrap_or_else(|| monitor.to_owned())))
}

fn clean(name: &str) -> String {
    let lower = name.to_lowercase();
    lower.replace(|c: char| !(c.is_ascii_lowercase() || c.is_ascii_digit() || c == ':' || c == '_'), "_").trim_matches('_').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::system::tests::value;

    #[test]
    fn zones_are_read_in_degrees_and_absent_ones_are_no_error() {
        let folder = tempfile::tempdir().unwrap();
        let zone = folder.path().join("thermal_zone3");
        std::fs::create_dir(&zone).unwrap();
        std::fs::write(zone.join("temp"), "41500\n").unwrap();
        std::fs::write(zone.join("type"), "x86_pkg_temp\n").unwrap();
        std::fs::create_dir(folder.path().join("thermal_zone4")).unwrap();
        let mut out = Gathered::default();
        zones(folder.path(), &mut out);
        zones(&folder.path().join("absent"), &mut out);
        assert_eq!(value(&out, "node_thermal_zone_temp", &[("type", "x86_pkg_temp"), ("zone", "3")]), Some(41.5));
        assert_eq!(out.rows().len(), 1);
    }

    #[test]
    fn chips_are_named_by_their_device() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(folder.path().join("platform/coretemp.0")).unwrap();
        std::fs::create_dir_all(folder.path().join("hwmon/hwmon2")).unwrap();
        std::os::unix::fs::symlink(folder.path().join("platform/coretemp.0"), folder.path().join("hwmon/hwmon2/device")).unwrap();
        assert_eq!(chip_name(&folder.path().join("hwmon"), "hwmon2").as_deref(), Some("platform_coretemp_0"));
        assert_eq!(chip_name(&folder.path().join("hwmon"), "thermal"), None);
    }
}
