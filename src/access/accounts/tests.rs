//! What holds of accounts, keys and sessions, on a store in memory and on one that is opened again.

use super::*;
use crate::clock::{Clock, ManualClock};
use crate::store::{self, Opened, Options, Place};

const DAY: Duration = Duration::from_secs(86_400);
const PASSWORD: &str = "correct horse";

fn options(place: Place) -> Options {
    Options { raw: DAY, late_window: Duration::ZERO, ..Options::of(place) }
}

/// A store that keeps a day.
pub(super) fn store(place: Place, clock: SharedClock) -> Opened {
    store::open(options(place), clock).unwrap()
}

fn opened(place: Place, clock: &Arc<ManualClock>, reach: Reach) -> (Accounts, Opened) {
    let store = store(place, clock.clone());
    (Accounts::open(store.catalog.clone(), clock.clone(), reach).unwrap(), store)
}

fn fresh(reach: Reach) -> (Accounts, Arc<ManualClock>, Opened) {
    let clock = ManualClock::at(Timestamp(1_764_000_000_000));
    let (accounts, store) = opened(Place::Memory, &clock, reach);
    (accounts, clock, store)
}

fn key(role: Role, scope: Scope) -> NewKey {
    NewKey { name: None, role, scope, expires: None }
}

#[test]
fn accounts_keys_and_sessions_survive_a_restart_and_no_secret_is_on_disk() {
    let home = tempfile::tempdir().unwrap();
    let place = Place::Disk(home.path().to_owned());
    let clock = ManualClock::at(Timestamp(1_764_000_000_000));
    let (accounts, store) = opened(place.clone(), &clock, Reach::Loopback);
    accounts.add_user("ana", Role::Admin, PASSWORD).unwrap();
    let signed = accounts.sign_in("ana", PASSWORD, None).unwrap();
    let (made, token) = accounts.create_key(key(Role::Viewer, Scope::Read)).unwrap();
    assert!(token.starts_with(KEY_PREFIX) && token.len() == KEY_PREFIX.len() + 64);
    drop((accounts, store));

    for entry in std::fs::read_dir(home.path()).unwrap().flatten().filter(|entry| entry.path().is_file()) {
        let bytes = std::fs::read(entry.path()).unwrap();
        for secret in [PASSWORD, &signed.token, &token, token.trim_start_matches(KEY_PREFIX)] {
            assert!(!bytes.windows(secret.len()).any(|window| window == secret.as_bytes()), "{:?}", entry.path());
        }
    }
    let (accounts, _store) = opened(place, &clock, Reach::Loopback);
    assert_eq!(accounts.users().len(), 1);
    assert_eq!(accounts.keys(), [made]);
    assert_eq!(accounts.by_session(&signed.token).unwrap().name, "ana");
    assert_eq!(accounts.by_key(&token).unwrap(), Caller { name: "key".into(), role: Some(Role::Viewer), scope: Scope::Read });
}

#[test]
fn without_accounts_the_local_admin_is_there_only_where_nobody_else_can_come() {
    let (accounts, ..) = fresh(Reach::Loopback);
    assert!(accounts.is_local());
    accounts.create_key(key(Role::Admin, Scope::Write)).unwrap();
    assert!(accounts.is_local(), "a key is no account");
    assert!(matches!(accounts.sign_in("ana", PASSWORD, None), Err(AccessError::NoAccounts)));
    accounts.add_user("ana", Role::Viewer, PASSWORD).unwrap();
    assert!(!accounts.is_local());
    assert!(!accounts.remove_user("ana").unwrap() && accounts.is_local());
    assert!(!fresh(Reach::Beyond).0.is_local());
}

#[test]
fn a_name_is_taken_once_and_what_is_out_of_the_rules_changes_nothing() {
    let (accounts, ..) = fresh(Reach::Loopback);
    accounts.add_user("ana", Role::Viewer, PASSWORD).unwrap();
    assert!(matches!(accounts.add_user("ana", Role::Admin, "another one"), Err(AccessError::Exists { .. })));
    assert!(accounts.add_user("a/b", Role::Viewer, PASSWORD).is_err() && accounts.add_user("bob", Role::Viewer, "short").is_err());
    assert!(matches!(accounts.remove_user("bob"), Err(AccessError::NoUser { .. })));
    assert!(matches!(accounts.change_user("bob", UserChange::default()), Err(AccessError::NoUser { .. })));
    assert_eq!(accounts.users().iter().map(|user| (user.name.as_str(), user.role)).collect::<Vec<_>>(), [("ana", Role::Viewer)]);
}

#[test]
fn another_password_ends_sessions_and_is_asked_for_at_once() {
    let (accounts, ..) = fresh(Reach::Loopback);
    accounts.add_user("ana", Role::Admin, PASSWORD).unwrap();
    let session = accounts.sign_in("ana", PASSWORD, None).unwrap().token;
    assert!(accounts.by_known_password("ana", PASSWORD).is_some());
    accounts.change_user("ana", UserChange { role: Some(Role::Viewer), password: None }).unwrap();
    assert_eq!(accounts.by_session(&session).unwrap().role, Some(Role::Viewer), "another role counts at once");
    accounts.change_user("ana", UserChange { role: None, password: Some("another one".into()) }).unwrap();
    assert!(accounts.by_session(&session).is_none() && accounts.by_known_password("ana", PASSWORD).is_none());
    assert!(matches!(accounts.by_password("ana", PASSWORD, None), Err(AccessError::WrongPassword)));
    assert!(accounts.by_password("ana", "another one", None).is_ok());
}

#[test]
fn a_removed_account_has_no_session_even_if_its_name_comes_back() {
    let (accounts, ..) = fresh(Reach::Loopback);
    accounts.add_user("ana", Role::Admin, PASSWORD).unwrap();
    let session = accounts.sign_in("ana", PASSWORD, None).unwrap().token;
    accounts.remove_user("ana").unwrap();
    assert!(accounts.by_session(&session).is_none() && accounts.by_known_password("ana", PASSWORD).is_none());
    accounts.add_user("ana", Role::Admin, PASSWORD).unwrap();
    assert!(accounts.by_session(&session).is_none());
}

#[test]
fn the_last_admin_stays_where_others_can_come() {
    let (accounts, ..) = fresh(Reach::Beyond);
    accounts.add_user("ana", Role::Admin, PASSWORD).unwrap();
    accounts.add_user("bob", Role::Editor, PASSWORD).unwrap();
    assert!(matches!(accounts.remove_user("ana"), Err(AccessError::LastAdmin { .. })));
    let demoted = accounts.change_user("ana", UserChange { role: Some(Role::Editor), password: None });
    assert!(matches!(demoted, Err(AccessError::LastAdmin { .. })));
    accounts.change_user("bob", UserChange { role: Some(Role::Admin), password: None }).unwrap();
    assert!(accounts.remove_user("ana").unwrap());
    let (accounts, ..) = fresh(Reach::Beyond);
    accounts.add_user("bob", Role::Viewer, PASSWORD).unwrap();
    assert!(matches!(accounts.remove_user("bob"), Err(AccessError::LastAdmin { what: "account", .. })));
}

#[test]
fn a_key_ends_when_it_expires_or_is_revoked() {
    let (accounts, clock, _store) = fresh(Reach::Loopback);
    let (made, token) = accounts.create_key(NewKey { expires: Some(30 * DAY), ..key(Role::Editor, Scope::Write) }).unwrap();
    clock.advance(30 * DAY - Duration::from_millis(1));
    assert!(accounts.by_key(&token).is_ok());
    clock.advance(Duration::from_millis(1));
    assert!(matches!(accounts.by_key(&token), Err(AccessError::ExpiredKey)));
    accounts.revoke_key(&made.id).unwrap();
    assert!(matches!(accounts.by_key(&token), Err(AccessError::UnknownKey)));
    assert!(matches!(accounts.revoke_key(&made.id), Err(AccessError::NoKey { .. })));
    assert!(accounts.create_key(NewKey { expires: Some(Duration::ZERO), ..key(Role::Viewer, Scope::Read) }).is_err());
    assert!(accounts.create_key(NewKey { expires: Some(Duration::MAX), ..key(Role::Viewer, Scope::Read) }).is_err());
}

#[test]
fn a_session_lasts_while_it_is_used_and_tidying_forgets_the_others() {
    let (accounts, clock, store) = fresh(Reach::Loopback);
    accounts.add_user("ana", Role::Admin, PASSWORD).unwrap();
    let idle = accounts.sign_in("ana", PASSWORD, None).unwrap().token;
    let used = accounts.sign_in("ana", PASSWORD, None).unwrap().token;
    for _ in 0..4 {
        clock.advance(6 * DAY);
        assert!(accounts.by_session(&used).is_some());
        accounts.tidy().unwrap();
    }
    assert!(accounts.by_session(&idle).is_none());
    let kept = store.catalog.list::<StoredSession>(DocumentKind::Session).unwrap();
    assert_eq!(kept.iter().map(|one| one.body.seen).collect::<Vec<_>>(), [clock.now().0], "one is kept, with its last use");
    clock.advance(6 * DAY);
    assert!(accounts.by_session(&used).is_none(), "30 days are the most");
    accounts.sign_out(&used).unwrap();
    accounts.sign_out("never known").unwrap();
}

#[test]
fn signing_out_ends_one_session_and_a_further_one_ends_the_oldest() {
    let (accounts, clock, _store) = fresh(Reach::Loopback);
    accounts.add_user("ana", Role::Admin, PASSWORD).unwrap();
    let tokens: Vec<String> = (0..3)
        .map(|_| {
            clock.advance(Duration::from_secs(1));
            accounts.sign_in("ana", PASSWORD, None).unwrap().token
        })
        .collect();
    accounts.sign_out(&tokens[1]).unwrap();
    assert_eq!(tokens.iter().map(|token| accounts.by_session(token).is_some()).collect::<Vec<_>>(), [true, false, true]);
    let now = clock.now().0;
    for n in 0..session::MOST_EACH as u8 {
        let stored = StoredSession { user: "ana".into(), generation: 0, created: now + i64::from(n) + 1, seen: now };
        accounts.write().put_session([n; 32], stored);
    }
    accounts.end_oldest("ana").unwrap();
    assert!(accounts.by_session(&tokens[0]).is_none() && accounts.by_session(&tokens[2]).is_none());
}

#[test]
fn wrong_passwords_are_limited_and_an_unknown_name_is_not_told() {
    let (accounts, clock, _store) = fresh(Reach::Loopback);
    accounts.add_user("ana", Role::Admin, PASSWORD).unwrap();
    let address = Some(IpAddr::from([192, 0, 2, 1]));
    for name in ["ana", "nobody", "a/b", "ana", "nobody", "ana"] {
        let told = accounts.by_password(name, "wrong password", address).unwrap_err();
        assert_eq!(told.to_string(), AccessError::WrongPassword.to_string(), "{name}");
    }
    let told = accounts.by_password("ana", PASSWORD, address).unwrap_err();
    assert!(matches!(told, AccessError::Attempts { wait } if wait == Duration::from_secs(5)), "{told}");
    assert!(accounts.by_known_password("ana", PASSWORD).is_none());
    clock.advance(Duration::from_secs(5));
    assert!(accounts.by_password("ana", PASSWORD, address).is_ok());
}

#[test]
fn who_somebody_is_by_now_ends_with_what_they_were_known_by() {
    let (accounts, clock, _store) = fresh(Reach::Loopback);
    let (nothing, control) = (Standing::of_nothing(), Standing::of_control());
    assert_eq!(accounts.caller_of(&nothing), Caller::local());
    accounts.add_user("ana", Role::Admin, PASSWORD).unwrap();
    assert_eq!((accounts.caller_of(&nothing), accounts.caller_of(&control)), (Caller::stranger(), Caller::local()));

    accounts.add_user("bob", Role::Viewer, PASSWORD).unwrap();
    let (session, password) = (Standing::of_session(&accounts.sign_in("bob", PASSWORD, None).unwrap().token), accounts.standing_of("bob"));
    let (made, token) = accounts.create_key(key(Role::Viewer, Scope::Read)).unwrap();
    let (_, brief) = accounts.create_key(NewKey { expires: Some(DAY), ..key(Role::Viewer, Scope::Read) }).unwrap();
    let (lasting, brief) = (Standing::of_key(&token), Standing::of_key(&brief));
    let role = |standing: &Standing| accounts.caller_of(standing).role;
    assert!([&session, &password, &lasting, &brief].into_iter().all(|standing| role(standing) == Some(Role::Viewer)));

    clock.advance(DAY);
    assert_eq!((role(&brief), role(&lasting)), (None, Some(Role::Viewer)), "a key that has expired");
    accounts.revoke_key(&made.id).unwrap();
    assert_eq!(role(&lasting), None, "a key that was revoked");
    accounts.change_user("bob", UserChange { role: Some(Role::Editor), password: None }).unwrap();
    assert_eq!((role(&session), role(&password)), (Some(Role::Editor), Some(Role::Editor)), "the role of today");
    accounts.change_user("bob", UserChange { role: None, password: Some("another horse".into()) }).unwrap();
    assert_eq!((role(&session), role(&password)), (None, None), "another password");
}
