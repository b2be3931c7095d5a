//! The dashboards that come with the program, compiled in from `config/dashboards/`. Adding one is
//! its file and its line.

use super::{Dashboard, DashboardError, Draft};

const DOCUMENTS: [&str; 3] = [
    include_str!("../../config/dashboards/operations.yaml"),
    include_str!("../../config/dashboards/development.yaml"),
    include_str!("../../config/dashboards/executive.yaml"),
];

/// All of them.
///
/// # Errors
/// One is malformed: a fault of its file, which a test finds.
pub(super) fn all() -> Result<Vec<Dashboard>, DashboardError> {
    DOCUMENTS.iter().map(|text| Draft::from_yaml(text).and_then(|draft| draft.checked(str::to_owned))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_predefined_dashboard_holds_to_the_rules() {
        let ids: Vec<String> = all().unwrap().into_iter().map(|dashboard| dashboard.id).collect();
        assert_eq!(ids, ["operations", "development", "executive"]);
    }

    #[test]
    fn every_type_of_panel_is_used() {
        let all = all().unwrap();
        for chart in super::super::chart::CHARTS {
            assert!(all.iter().flat_map(|d| &d.panels).any(|panel| panel.kind.as_str() == chart.name), "{}", chart.name);
        }
    }
}
