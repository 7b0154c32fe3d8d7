//! stub
use crate::{exit::{Exit,Outcome}, settings::Global};
#[derive(Debug, clap::Args)]
pub(crate) struct RevokeArgs {}
impl RevokeArgs { pub(super) async fn run(self, _g:&Global)->Outcome { Ok(Exit::Done) } }
