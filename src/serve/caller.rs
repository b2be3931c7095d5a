//! Who asks, as handlers see it: the guard puts the caller into the request, the extractor takes it out.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpMessage, HttpRequest};

use super::error::Fault;
use crate::access::Caller;

/// The caller of a request. Without a guard before it nobody is known: a stranger.
#[derive(Clone, Debug)]
pub(super) struct Who(pub(super) Caller);

impl FromRequest for Who {
    type Error = Fault;
    type Future = Ready<Result<Self, Fault>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(Self(request.extensions().get::<Caller>().cloned().unwrap_or_else(Caller::stranger))))
    }
}
