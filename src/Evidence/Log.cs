using Microsoft.Extensions.Logging;

namespace Evidence;

/// <summary>Every message that the library logs, in one place.</summary>
internal static partial class Log
{
    [LoggerMessage(1, LogLevel.Warning, "The index cache in {Folder} cannot be used; what it holds is read from the packs instead")]
    internal static partial void IndexCacheUnusable(ILogger logger, string folder, Exception exception);

    [LoggerMessage(2, LogLevel.Information, "Removed leftovers of a run that ended early: {Path}")]
    internal static partial void LeftoverRemoved(ILogger logger, string path);

    [LoggerMessage(3, LogLevel.Debug, "Sealed pack {Pack}: {Records} records, {Bytes} bytes")]
    internal static partial void PackSealed(ILogger logger, Evidence.Hashing.Sha256Digest pack, int records, long bytes);

    [LoggerMessage(5, LogLevel.Warning, "What was seen of the ledger {Origin} cannot be remembered, so a later rollback of it to this point would go unseen")]
    internal static partial void CheckpointNotRemembered(ILogger logger, string origin, Exception exception);

    [LoggerMessage(4, LogLevel.Warning, "{Source}: {Bytes} bytes in {Ranges} ranges could not be read; the first is at offset {Offset}")]
    internal static partial void Unreadable(ILogger logger, string source, long bytes, int ranges, long offset);

    [LoggerMessage(6, LogLevel.Warning, "The entry ledger/{Name} was not taken into the ledger, and is left where it is: {Reason}")]
    internal static partial void StagedEntryRefused(ILogger logger, string name, string reason);

    [LoggerMessage(40, LogLevel.Information, "{Source}: going on from an earlier run; {Bytes} bytes are in the vault already, and are checked and hashed from there (run {Run})")]
    internal static partial void Resumed(ILogger logger, string source, long bytes, int run);

    [LoggerMessage(41, LogLevel.Warning, "What an interrupted run left in {Path} is not used: {Reason}")]
    internal static partial void NotResumed(ILogger logger, string path, string reason);

    [LoggerMessage(42, LogLevel.Information, "{Source}: an earlier run had come as far as image {Image}; only its ledger entry could be missing")]
    internal static partial void Finished(ILogger logger, string source, Evidence.Hashing.Sha256Digest image);

    [LoggerMessage(43, LogLevel.Warning, "{Source} is not what it was when it was opened ({What}, at offset {Offset}): the image records that")]
    internal static partial void SourceDiffers(ILogger logger, string source, string what, long offset);

    [LoggerMessage(7, LogLevel.Warning, "The pack {Pack} cannot be read, so what it holds is not found: run 'evidence verify' to see what that touches")]
    internal static partial void PackUnusable(ILogger logger, string pack, Exception exception);

    [LoggerMessage(55, LogLevel.Warning, "{Source}: the connection was lost ({Reason}); trying for {Seconds} s to have another one")]
    internal static partial void NbdConnectionLost(ILogger logger, string source, string reason, double seconds);

    [LoggerMessage(56, LogLevel.Information, "{Source}: no connection yet ({Reason})")]
    internal static partial void NbdReconnectFailed(ILogger logger, string source, string reason);

    [LoggerMessage(57, LogLevel.Warning, "{Source}: connected again, at attempt {Attempts}, to the same export; {Requests} requests from offset {Offset} on are asked again")]
    internal static partial void NbdReconnected(ILogger logger, string source, int attempts, int requests, long offset);

    [LoggerMessage(58, LogLevel.Warning, "{Source}: from offset {Offset} on the server does not tell holes from data (error {Error} {Words}), so all of it is read")]
    internal static partial void NbdHolesNotTold(ILogger logger, string source, long offset, int error, string words);

    [LoggerMessage(65, LogLevel.Warning, "The folder {Path} of this run's temporary files could not be removed; the next run removes it")]
    internal static partial void FolderKept(ILogger logger, string path, Exception exception);

    [LoggerMessage(66, LogLevel.Warning, "The entry is signed and waits, durable, in {Vault}/ledger/staging/batch; whatever is recorded next in that vault takes it in. It could not go in now")]
    internal static partial void EntryPending(ILogger logger, string vault, Exception exception);

    [LoggerMessage(67, LogLevel.Warning, "The entry is in the ledger of {Vault}, but what follows could not be done: to remember the ledger's new size, or to remove what was staged. The next entry does it first")]
    internal static partial void AppendUnfinished(ILogger logger, string vault, Exception exception);

    [LoggerMessage(60, LogLevel.Warning, "The pack {Pack} cannot be opened, so nothing is brought back from it")]
    internal static partial void OriginPackUnusable(ILogger logger, string pack, Exception exception);

    [LoggerMessage(62, LogLevel.Debug, "Leftovers of a run that ended early stay: {Path}")]
    internal static partial void LeftoverKept(ILogger logger, string path, Exception exception);

    [LoggerMessage(61, LogLevel.Information, "Set {File} aside as {Aside}: it is damaged, and kept as evidence of that")]
    internal static partial void SetAside(ILogger logger, string file, string aside);

    [LoggerMessage(70, LogLevel.Warning, "Imaging may take up to {AtMost} bytes of {Folder}, where {Free} are free. What deduplication and compression will save is not known before: it may fit all the same")]
    internal static partial void MayNotFit(ILogger logger, long atMost, string folder, long free);

    [LoggerMessage(80, LogLevel.Error, "The log {Origin} signed two checkpoints of {Size} entries with different roots: it has two histories. The second one is kept as {Path}, beside the first; together they prove it")]
    internal static partial void WitnessConflict(ILogger logger, string origin, long size, string path);

    [LoggerMessage(81, LogLevel.Error, "The log {Origin} signed two checkpoints of {Size} entries with different roots: it has two histories. The second one was refused, and could not be kept")]
    internal static partial void WitnessConflictNotKept(ILogger logger, string origin, long size, Exception exception);

    [LoggerMessage(82, LogLevel.Error, "The witness could not answer: what it signs could not be read or kept, so nothing was signed")]
    internal static partial void WitnessFailed(ILogger logger, Exception exception);

    [LoggerMessage(83, LogLevel.Debug, "A connection from {Client} ended: {Reason}")]
    internal static partial void WitnessConnectionEnded(ILogger logger, string client, string reason);

    [LoggerMessage(170, LogLevel.Information, "Destroyed the opening {Path}, as an entry of the ledger says. Copies of it, in backups and snapshots, are not reached by that")]
    internal static partial void OpeningDestroyed(ILogger logger, string path);

    [LoggerMessage(120, LogLevel.Warning, "The record of what was sent, {Path}, is not one of these keys, and is begun anew: what the replica has already is sent again, and compared there")]
    internal static partial void ReplicaRecordUnusable(ILogger logger, string path);

    [LoggerMessage(121, LogLevel.Warning, "{File} is not sent: {Reason}")]
    internal static partial void NotSent(ILogger logger, string file, string reason);

    [LoggerMessage(140, LogLevel.Warning, "ledger/{File} is not as it was written: {Defect}. Whoever can write to the vault changed it; it is passed over")]
    internal static partial void CosignedNoteTampered(ILogger logger, string file, string defect);

    [LoggerMessage(141, LogLevel.Error, "A checkpoint that the log {Origin} signed, and that its ledger here does not continue, could not be kept")]
    internal static partial void ConflictNotKept(ILogger logger, string origin, Exception exception);

    [LoggerMessage(200, LogLevel.Warning, "{Path} is not used: its code is not this user's, so somebody else wrote it, or it is damaged. What it says is found out again.")]
    internal static partial void MemoryRefused(ILogger logger, string path);

    [LoggerMessage(201, LogLevel.Warning, "{Path} could not be used or written; what it would say is found out each time.")]
    internal static partial void MemoryNotKept(ILogger logger, string path, Exception cause);

    [LoggerMessage(220, LogLevel.Debug, "A connection to the export '{Export}' ended: {Reason}")]
    internal static partial void NbdClientEnded(ILogger logger, string export, string reason);

    [LoggerMessage(221, LogLevel.Warning, "A client was given an error for bytes {Offset}+{Length}: {Reason}")]
    internal static partial void ServedRangeRefused(ILogger logger, long offset, long length, string reason);

    [LoggerMessage(222, LogLevel.Warning, "{Folder} is unmounted while it is in use: whoever has a file of it open gets errors from here on")]
    internal static partial void MountInUse(ILogger logger, string folder);
}
