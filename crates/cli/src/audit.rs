//! stub
use crate::{exit::{Exit,Outcome}, settings::Global};
#[derive(Debug, clap::Subcommand)]
pub(crate) enum AuditCommand { List }
impl AuditCommand { pub(crate) async fn run(self, _g:&Global)->Outcome { Ok(Exit::Done) } }
