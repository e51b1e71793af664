//! Archives, of the kinds that no honest program writes too.

use flate2::Compression;
use flate2::write::GzEncoder;
use tar::{Builder, EntryType, Header};

pub enum Item {
    File(&'static str, &'static str),
    Folder(&'static str),
    /// A symbolic link and where it leads.
    Link(&'static str, &'static str),
}

/// A `.tar.gz` with `items`, whatever their names are.
pub fn targz(items: &[Item]) -> Vec<u8> {
    let mut tar = Builder::new(GzEncoder::new(vec![], Compression::fast()));
    for item in items {
        let mut header = Header::new_gnu();
        let (name, contents) = match item {
            Item::File(name, contents) => (name, contents.as_bytes()),
            Item::Folder(name) => {
                header.set_entry_type(EntryType::Directory);
                (name, &[][..])
            }
            Item::Link(name, target) => {
                header.set_entry_type(EntryType::Symlink);
                header.set_link_name_literal(target).unwrap();
                (name, &[][..])
            }
        };
        // `Header::set_path` refuses the names that matter here.
        header.as_gnu_mut().unwrap().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_size(contents.len() as u64);
        header.set_mode(0o644);
        header.set_cksum();
        tar.append(&header, contents).unwrap();
    }
    tar.into_inner().unwrap().finish().unwrap()
}
