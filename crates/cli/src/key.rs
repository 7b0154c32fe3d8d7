//! stub
use crate::{exit::{Exit,Outcome}, settings::Global};
#[derive(Debug, clap::Subcommand)]
pub(crate) enum KeyCommand { List }
impl KeyCommand { pub(crate) async fn run(self, _g:&Global)->Outcome { Ok(Exit::Done) } }
