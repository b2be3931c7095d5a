//! Paging and out-of-memory kills, from `/proc/vmstat`: node_exporter's default choice of fields.

use super::read::Buffer;
use crate::collect::{CollectError, Gathered, Source};
use crate::model::MetricType;

/// Paging.
#[derive(Debug, Default)]
pub(crate) struct Vmstat(Buffer);

impl Source for Vmstat {
    fn name(&self) -> &str {
        "vmstat"
    }

    fn collect(&mut self, out: &mut Gathered) -> Result<(), CollectError> {
        parse(self.0.read("/proc/vmstat")?, out);
        Ok(())
    }
}

fn parse(text: &str, out: &mut Gathered) {
    for (key, word) in text.lines().filter_map(|line| line.split_once(' ')).filter(|(key, _)| wanted(key)) {
        if let Ok(number) = word.trim().parse::<f64>() {
            let help = format!("/proc/vmstat information field {key}.");
            out.family(format!("node_vmstat_{key}"), MetricType::Unknown, help).put(&[], number);
        }
    }
}

/// `^(oom_kill|pgpg|pswp|pg.*fault).*`
fn wanted(key: &str) -> bool {
    ["oom_kill", "pgpg", "pswp"].iter().any(|start| key.starts_with(start)) || (key.starts_with("pg") && key.contains("fault"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_chosen_fields_are_taken() {
        let mut out = Gathered::default();
        parse("nr_free_pages 1\npgpgin 2\npswpout 3\npgmajfault 4\npgfree 5\noom_kill 6\n", &mut out);
        let names: Vec<&str> = out.rows().iter().map(|row| row.name.as_ref()).collect();
        assert_eq!(names, ["node_vmstat_pgpgin", "node_vmstat_pswpout", "node_vmstat_pgmajfault", "node_vmstat_oom_kill"]);
    }
}
