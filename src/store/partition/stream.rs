//! The one stream of bytes that a sealed file holds, cut into pieces as redb's pages like them.

use redb::{ReadOnlyTable, ReadTransaction, ReadableTable, ReadableTableMetadata, TableError, WriteTransaction};

use super::Partition;
use super::directory::{Directory, FOOTER_BYTES, FORM};
use super::pack::{pack, unpack};
use super::places::At;
use crate::store::StoreError;
use crate::store::layout::{PIECE_BYTES, STREAM};

/// Appends the directory and what stands behind it.
pub(super) fn close(directory: &Directory, stream: &mut Vec<u8>) {
    let length = pack(&directory.encode(), stream);
    stream.extend_from_slice(&(length as u32).to_le_bytes());
    stream.push(FORM);
}

/// Stores a stream.
pub(super) fn fill(transaction: &WriteTransaction, stream: &[u8]) -> Result<(), redb::Error> {
    let mut table = transaction.open_table(STREAM)?;
    for (number, piece) in stream.chunks(PIECE_BYTES).enumerate() {
        table.insert(number as u32, piece)?;
    }
    Ok(())
}

/// The stream of a file that is open; keeps the piece that was read last.
pub(super) struct Stream<'a> {
    partition: &'a Partition,
    table: ReadOnlyTable<u32, &'static [u8]>,
    len: u64,
    piece: Option<(u32, Vec<u8>)>,
}

impl<'a> Stream<'a> {
    /// `None` where the file is of the layout before streams.
    pub(super) fn open(partition: &'a Partition, transaction: &ReadTransaction) -> Result<Option<Self>, StoreError> {
        let table = match transaction.open_table(STREAM) {
            Ok(table) => table,
            Err(TableError::TableDoesNotExist(_)) => return Ok(None),
            Err(error) => return Err(partition.failed(error)),
        };
        let pieces = table.len().map_err(|e| partition.failed(e))?;
        let last = table.last().map_err(|e| partition.failed(e))?.map_or(0, |(_, piece)| piece.value().len() as u64);
        let len = pieces.saturating_sub(1) * PIECE_BYTES as u64 + last;
        Ok(Some(Self { partition, table, len, piece: None }))
    }

    /// The bytes of a stretch.
    pub(super) fn get(&mut self, At { from, len }: At) -> Result<Vec<u8>, StoreError> {
        if from.checked_add(len as u64).is_none_or(|end| end > self.len) {
            return Err(self.partition.damaged("something lies past its end"));
        }
        let mut out = Vec::with_capacity(len);
        while out.len() < len {
            let at = from + out.len() as u64;
            let (number, skip) = ((at / PIECE_BYTES as u64) as u32, (at % PIECE_BYTES as u64) as usize);
            let piece = self.piece(number)?.get(skip..).unwrap_or_default();
            if piece.is_empty() {
                return Err(self.partition.damaged(format!("piece {number} is cut short")));
            }
            out.extend(piece.iter().take(len - out.len()));
        }
        Ok(out)
    }

    fn piece(&mut self, number: u32) -> Result<&[u8], StoreError> {
        if self.piece.as_ref().is_none_or(|(n, _)| *n != number) {
            let found = self.table.get(number).map_err(|e| self.partition.failed(e))?;
            let bytes = found.map(|piece| piece.value().to_vec()).ok_or_else(|| self.partition.damaged(format!("piece {number} is missing")))?;
            self.piece = Some((number, bytes));
        }
        Ok(self.piece.as_ref().map_or(&[], |(_, bytes)| bytes))
    }

    /// A packed block.
    pub(super) fn block(&mut self, at: At) -> Result<Vec<u8>, StoreError> {
        unpack(&self.get(at)?).ok_or_else(|| self.partition.damaged(format!("the block at {} is not what was written", at.from)))
    }

    /// What the file has.
    pub(super) fn directory(&mut self) -> Result<Directory, StoreError> {
        let damaged = |reason: &str| self.partition.damaged(reason);
        let footer_from = self.len.checked_sub(FOOTER_BYTES as u64).ok_or_else(|| damaged("it is empty"))?;
        let partition = self.partition;
        let footer = self.get(At { from: footer_from, len: FOOTER_BYTES })?;
        let (length, form) = match footer.as_slice() {
            [a, b, c, d, form] => (u32::from_le_bytes([*a, *b, *c, *d]), *form),
            _ => return Err(partition.damaged("it has no end")),
        };
        if form != FORM {
            return Err(partition.damaged(format!("its form {form} is unknown: a newer latido may read it")));
        }
        let from = footer_from.checked_sub(u64::from(length)).ok_or_else(|| partition.damaged("its directory is longer than itself"))?;
        let bytes = self.block(At { from, len: length as usize })?;
        Directory::decode(&bytes, from).ok_or_else(|| partition.damaged("its directory does not decode"))
    }
}
