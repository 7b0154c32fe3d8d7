//! stub
use crate::{exit::{Exit,Outcome}, settings::Global};
#[derive(Debug, clap::Args)]
pub(crate) struct InitArgs {}
impl InitArgs { pub(crate) async fn run(self, _g:&Global)->Outcome { Ok(Exit::Done) } }
