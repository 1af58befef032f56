using System.Security.Cryptography;
using System.Text;
using Evidence.Platform;
using NodaTime;

namespace Evidence.Ledger.Witnesses;

/// <summary>
/// What a witness signed last of each log, as the cosigned note itself: <c>logs/HASH/checkpoint</c> in a folder, HASH being the SHA-256 of the origin. One process
/// at a time, under a lock that the kernel gives back when the process ends. Safe for several threads where each log's steps are taken one after another.
/// </summary>
internal sealed class WitnessState : IDisposable
{
    /// <summary>How many conflicting checkpoints of one log are kept: two prove it, and whoever holds the log's key could send any number.</summary>
    private const int MostConflicts = 16;

    private const string Temporary = "tmp";

    private readonly string folder;
    private readonly VerifierKey witness;
    private readonly Func<string, IReadOnlyCollection<VerifierKey>> keysOf;
    private readonly FileLock held;
    private readonly FlushFailure failure = new();

    private WitnessState(string folder, VerifierKey witness, Func<string, IReadOnlyCollection<VerifierKey>> keysOf, FileLock held) =>
        (this.folder, this.witness, this.keysOf, this.held) = (folder, witness, keysOf, held);

    /// <summary>Opens a folder, or makes it.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="witness">The witness's key: what lies there must be its own.</param>
    /// <param name="keysOf">The keys that are trusted for a log.</param>
    /// <exception cref="EvidenceException">Another process uses it (<see cref="ErrorCode.WitnessBusy"/>), or it cannot be written.</exception>
    internal static WitnessState Open(string folder, VerifierKey witness, Func<string, IReadOnlyCollection<VerifierKey>> keysOf)
    {
        folder = Path.GetFullPath(folder);
        DurableFile.CreateDirectory(folder);
        FileLock taken = FileLock.TryAcquire(Path.Combine(folder, "lock")) ??
            throw new EvidenceException(ErrorCode.WitnessBusy, $"Another process is the witness of {folder}. Ask that one, or stop it first.");
        try
        {
            string temporary = Path.Combine(folder, Temporary);
            DurableFile.CreateDirectory(temporary);
            foreach (string leftover in Directory.GetFiles(temporary).Where(DurableFile.IsTemporary))
                DurableFile.Translate(leftover, "remove", () => File.Delete(leftover));
            return new WitnessState(folder, witness, keysOf, taken);
        }
        catch
        {
            taken.Dispose();
            throw;
        }
    }

    /// <summary>Where it is.</summary>
    internal string Folder => folder;

    /// <summary>The checkpoint of a log that was cosigned last; null where none was. Whoever is told of it can count on it: it is durable.</summary>
    /// <exception cref="EvidenceException">It is damaged, or was not signed by this witness (<see cref="ErrorCode.WitnessStateInvalid"/>).</exception>
    internal CosignedCheckpoint? Find(string origin)
    {
        string path = PathOf(origin);
        // Read from the medium's view each time: a record that could not be made durable is not remembered as one that was.
        if (SmallFile.TryRead(path, SignedNote.MaximumLength + 1) is not { } note)
            return null;
        Checkpoint checkpoint;
        Cosignature cosignature;
        try
        {
            var parsed = SignedNote.Parse(note);
            checkpoint = Checkpoint.Parse(parsed.Text);
            if (!string.Equals(checkpoint.Origin, origin, StringComparison.Ordinal))
                throw new FormatException($"It is of the log {checkpoint.Origin}.");
            NoteVerdict cosigned = NoteVerifier.Verify(parsed, [witness]);
            if (!cosigned.IsAccepted)
                throw new FormatException($"It is not signed by the witness {witness}.");
            cosignature = Cosignature.Read(parsed, cosigned)[0];
            if (!NoteVerifier.Verify(parsed, keysOf(origin)).IsAccepted)
                throw new FormatException("It is not signed by a key that is trusted for the log.");
        }
        catch (FormatException e)
        {
            throw new EvidenceException(
                ErrorCode.WitnessStateInvalid,
                $"What this witness signed of {origin} cannot be relied on: {path}: {e.Message} Without it the witness cannot tell a fork, so it signs nothing more of that log. " +
                "Bring the file back.", e);
        }

        // Whoever put it there may have died before its name was durable.
        DurableFile.SyncName(path);
        return new CosignedCheckpoint(checkpoint, cosignature.Time, note);
    }

    /// <summary>Keeps what was signed, in the place of what was signed before. It is durable on return; else nobody may see it.</summary>
    internal void Record(string origin, byte[] note) => failure.Guard(() =>
    {
        string path = PathOf(origin);
        DurableFile.CreateDirectory(Path.GetDirectoryName(path)!);
        DurableFile.Replace(path, note, temporaryDirectory: Path.Combine(folder, Temporary));
        return 0;
    });

    /// <summary>Keeps a checkpoint that the log signed and that contradicts what was cosigned: the two prove its two histories.</summary>
    /// <returns>Where it is; null where there are many already.</returns>
    internal string? KeepConflict(string origin, byte[] note)
    {
        string conflicts = Path.Combine(Path.GetDirectoryName(PathOf(origin))!, "conflicts");
        DurableFile.CreateDirectory(conflicts);
        string path = Path.Combine(conflicts, Convert.ToHexStringLower(SHA256.HashData(note)));
        if (Directory.GetFiles(conflicts).Length >= MostConflicts)
            return null;
        _ = DurableFile.TryCreate(path, note, Path.Combine(folder, Temporary));
        return path;
    }

    /// <inheritdoc/>
    public void Dispose() => held.Dispose();

    private string PathOf(string origin) => Path.Combine(folder, "logs", HashOf(origin), "checkpoint");

    /// <summary>What a log goes by in addresses and names of folders.</summary>
    internal static string HashOf(string origin) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(origin)));
}

/// <summary>A checkpoint that a witness cosigned.</summary>
/// <param name="Checkpoint">What it says.</param>
/// <param name="Time">When, by the cosignature.</param>
/// <param name="Note">Its bytes, with the log's signatures and the witness's.</param>
internal sealed record CosignedCheckpoint(Checkpoint Checkpoint, Instant Time, byte[] Note);
