using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using Evidence.Canonical;
using Evidence.Hashing;
using Evidence.Platform;
using Evidence.Rescue;
using Evidence.Segments;
using Evidence.Vaults;
using Microsoft.Extensions.Logging;

namespace Evidence.Acquisition;

/// <summary>
/// How far an acquisition is, durably: what a run that is killed leaves for the next one (<c>docs/format/vault.md</c>). Lines are appended once what they
/// name is durable; who may write to the vault, but has not the user's keys, cannot write one (<see cref="JournalFile"/>). Nothing in it is evidence: what it
/// names is proved by its ids.
/// </summary>
internal sealed class AcquisitionJournal : IDisposable
{
    private const int MostWithoutWork = 1 << 16;
    private const string Extension = ".journal";
    private const string LockExtension = ".lock";

    /// <summary>At most this much reading, and of a rescue that took long a sixtieth of it, is lost when a run is killed.</summary>
    internal static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private readonly string path;
    private readonly FileLock held;
    private readonly Lock gate = new();
    private readonly List<(long Offset, long Length, RescueStatus Status, string Reason)> changes = [];
    private readonly JournalFile file;
    private bool hasWork;
    private bool removed;

    private AcquisitionJournal(string path, FileLock held, byte[] key)
    {
        this.path = path;
        this.held = held;
        try
        {
            file = new JournalFile(path, key);
        }
        catch
        {
            held.Dispose();
            throw;
        }
    }

    /// <summary>The runs so far, this one not among them.</summary>
    internal List<AcquisitionRun> Runs { get; } = [];

    /// <summary>The pages that earlier runs made durable.</summary>
    internal Dictionary<long, Sha256Digest> Pages { get; } = [];

    /// <summary>The pieces of other pages that they made durable.</summary>
    internal List<MapRun> Pieces { get; } = [];

    /// <summary>What they found of ranges that could not be read, in order of finding.</summary>
    internal List<(long Offset, long Length, RescueStatus Status, string Reason)> Statuses { get; } = [];

    /// <summary>The image that an earlier run wrote the manifest of; null where it did not come that far.</summary>
    internal Sha256Digest? Image { get; private set; }

    /// <summary>Whether that image was read back from the medium.</summary>
    internal bool ImageVerified { get; private set; }

    /// <summary>Opens the journal of the last interrupted acquisition of this source, or begins one.</summary>
    /// <param name="layout">The vault.</param>
    /// <param name="key">The key that makes the journals of this vault the user's own: <see cref="VaultLedger.JournalKey"/>.</param>
    /// <param name="subject">What is imaged, as what, and how, as far as the image depends on it: <see cref="JournalSubject"/>.</param>
    /// <param name="resume">Whether an earlier run may be gone on with; if not, what is left of them is removed.</param>
    /// <param name="logger">Hears of what is not gone on with.</param>
    internal static AcquisitionJournal Open(VaultLayout layout, byte[] key, JsonObject subject, bool resume, ILogger logger)
    {
        DurableFile.CreateDirectory(layout.Resume);
        string name = JournalSubject.KeyOf(subject);
        // One at a time between looking at a journal and taking it.
        using FileLock door = FileLock.Acquire(DoorOf(layout.Resume), CancellationToken.None);
        RemoveDead(layout.Resume, key, resume ? null : name, logger);
        foreach (int number in NumbersOf(layout.Resume, name).Union(Enumerable.Range(0, int.MaxValue)))
        {
            string numbered = Path.Combine(layout.Resume, string.Create(null, $"{name}-{number}"));
            // Another process images the same source as the same item at this very moment.
            if (FileLock.TryAcquire(numbered + LockExtension) is not { } taken)
                continue;
            var journal = new AcquisitionJournal(numbered + Extension, taken, key);
            try
            {
                if (journal.TryLoad(subject, logger))
                    return journal;
            }
            catch
            {
                // The door is held: an empty journal is for the next run to remove.
                journal.Release();
                throw;
            }

            journal.Release();
        }

        throw new UnreachableException();
    }

    /// <summary>Notes when this run began, and from where it goes on.</summary>
    internal void Begin(AcquisitionRun run) =>
        Append([new JsonObject { ["run"] = new JsonObject { ["started"] = Timestamps.Format(run.Started), ["held"] = DecimalText.Format(run.Held) } }]);

    /// <summary>Notes that a read failed; durable with what is kept next.</summary>
    internal void Note(long offset, long length, RescueStatus status, string reason)
    {
        lock (gate)
            changes.Add((offset, length, status, reason));
    }

    /// <summary>Keeps pages of the map, by now durable, in the order of their numbers. Those that earlier runs kept are kept already.</summary>
    internal void Keep(IReadOnlyList<(long Number, Sha256Digest Id)> pages) => Append(
    [
        .. pages.Where(p => !Pages.TryGetValue(p.Number, out Sha256Digest known) || known != p.Id)
            .Select(p => new JsonObject { ["page"] = DecimalText.Format(p.Number), ["id"] = p.Id.ToString() }),
        .. TakeChanges(),
    ]);

    /// <summary>Keeps pieces, by now durable.</summary>
    internal void Keep(IReadOnlyList<MapRun> pieces) => Append(
    [
        .. pieces.Select(p => new JsonObject
        {
            ["piece"] = DecimalText.Format(p.Offset),
            ["length"] = DecimalText.Format(p.Length),
            ["id"] = p.Segment.ToString(),
        }),
        .. TakeChanges(),
    ]);

    /// <summary>Notes the image whose manifest is written, and whose ledger entry comes next.</summary>
    internal void Keep(Sha256Digest image, bool verified) =>
        Append([new JsonObject { ["image"] = image.ToString(), ["verified"] = verified }]);

    /// <summary>Removes the journal: the acquisition is recorded.</summary>
    internal void Remove()
    {
        string folder = Path.GetDirectoryName(path)!;
        using FileLock door = FileLock.Acquire(DoorOf(folder), CancellationToken.None);
        Delete();
        // One that came back after a power cut would have the same command, given anew, answer with an image that is long done.
        DurableFile.SyncDirectory(folder);
    }

    /// <summary>Lets go of the journal; one that nothing was kept in goes.</summary>
    public void Dispose()
    {
        if (!hasWork && !removed)
        {
            try
            {
                Remove();
            }
            catch (EvidenceException)
            {
                // It holds nothing, and the next run removes it. Why this one ends is what counts.
            }
        }

        Release();
    }

    private void Release()
    {
        file.Dispose();
        held.Dispose();
    }

    /// <summary>Removes the journals of dead runs that kept nothing, and all that are of one name where that is asked for.</summary>
    private static void RemoveDead(string folder, byte[] key, string? name, ILogger logger)
    {
        foreach (string found in Directory.EnumerateFiles(folder, $"*{Extension}"))
        {
            bool isUnwanted = name is not null && Path.GetFileName(found).StartsWith(name + '-', StringComparison.Ordinal);
            if (VaultFiles.IsNoFile(found) || (!isUnwanted && new FileInfo(found).Length > MostWithoutWork) ||
                FileLock.TryAcquire(Path.ChangeExtension(found, LockExtension)) is not { } dead)
            {
                continue;
            }

            var journal = new AcquisitionJournal(found, dead, key);
            try
            {
                bool isWork = false;
                journal.file.Read(line => !(isWork = !isUnwanted && IsWork(line)));
                if (isWork || journal.file.IsForeign)
                    continue;
                journal.Delete();
                Log.LeftoverRemoved(logger, found);
            }
            finally
            {
                journal.Release();
            }
        }

        foreach (string orphan in Directory.EnumerateFiles(folder, $"*{LockExtension}").Where(p => !File.Exists(Path.ChangeExtension(p, Extension))))
        {
            using FileLock? dead = VaultFiles.IsNoFile(orphan) ? null : FileLock.TryAcquire(orphan);
            if (dead is not null)
                DurableFile.Translate(orphan, "remove the lock file", () => File.Delete(orphan));
        }
    }

    /// <summary>The journals that are there: of several runs at once, the first may be long done, and another have been killed.</summary>
    private static IEnumerable<int> NumbersOf(string folder, string key) =>
        Directory.EnumerateFiles(folder, $"{key}-*{Extension}")
            .Select(found => int.TryParse(Path.GetFileNameWithoutExtension(found)[(key.Length + 1)..], NumberStyles.None, null, out int number) ? number : -1)
            .Where(number => number >= 0)
            .Order();

    /// <summary>Whether a line is worth keeping a journal for.</summary>
    private static bool IsWork(JsonObject line) => !line.ContainsKey("run") && !line.ContainsKey("format");

    private static string DoorOf(string folder) => Path.Combine(folder, "lock");

    /// <summary>Takes up what the journal has, or begins it; false where it is of something else, and is left to that.</summary>
    private bool TryLoad(JsonObject subject, ILogger logger)
    {
        long size = subject.RequireObject("source").RequireDecimal("size");
        JsonObject? first = null;
        file.Read(line =>
        {
            if (first is not null)
                return TryTake(line, size);
            first = line;
            return CanonicalJson.Serialize(first).AsSpan().SequenceEqual(CanonicalJson.Serialize(subject));
        });
        if (file.IsForeign)
        {
            Log.NotResumed(logger, path, first is null
                ? "it was written under keys that are not here, or is damaged"
                : "the source, or how it is to be imaged, is not what it was; --restart removes it");
            return false;
        }

        // What is behind the last line that holds goes: a torn write, most likely.
        file.Settle();
        if (first is null)
            Append([subject]);
        DurableFile.SyncDirectory(Path.GetDirectoryName(path)!);
        return true;
    }

    /// <summary>Takes up a line, if it says something that can be of a source of this size.</summary>
    private bool TryTake(JsonObject line, long size)
    {
        if (line.ContainsKey("page"))
        {
            long number = line.RequireDecimal("page");
            if (number * (Int128)SegmentParameters.PageSize >= size)
                return false;
            Pages[number] = Sha256Digest.Parse(line.RequireDigest("id"));
        }
        else if (line.ContainsKey("piece"))
        {
            var piece = new MapRun(line.RequireDecimal("piece"), line.RequireDecimal("length"), RunKind.Data, 0, Sha256Digest.Parse(line.RequireDigest("id")));
            if (!IsWithin(piece.Offset, piece.Length, size) || piece.Offset / SegmentParameters.PageSize != (piece.End - 1) / SegmentParameters.PageSize)
                return false;
            Pieces.Add(piece);
        }
        else if (line.ContainsKey("failed"))
        {
            (long offset, long length) = (line.RequireDecimal("failed"), line.RequireDecimal("length"));
            if (!IsWithin(offset, length, size) || line.RequireString("status") is not [var status] || !Enum.IsDefined((RescueStatus)status))
                return false;
            Statuses.Add((offset, length, (RescueStatus)status, line.RequireString("reason")));
        }
        else if (line.ContainsKey("run"))
        {
            JsonObject run = line.RequireObject("run");
            Runs.Add(new AcquisitionRun(run.RequireInstant("started"), run.RequireDecimal("held")));
        }
        else
        {
            (Image, ImageVerified) = (Sha256Digest.Parse(line.RequireDigest("image")), line.RequireBoolean("verified"));
        }

        hasWork |= IsWork(line);
        return true;
    }

    private static bool IsWithin(long offset, long length, long size) => length > 0 && offset < size && length <= size - offset;

    private IEnumerable<JsonObject> TakeChanges()
    {
        (long Offset, long Length, RescueStatus Status, string Reason)[] taken;
        lock (gate)
        {
            taken = [.. changes];
            changes.Clear();
        }

        return taken.Select(c => new JsonObject
        {
            ["failed"] = DecimalText.Format(c.Offset),
            ["length"] = DecimalText.Format(c.Length),
            ["status"] = ((char)c.Status).ToString(),
            ["reason"] = c.Reason,
        });
    }

    private void Append(IReadOnlyList<JsonObject> lines)
    {
        file.Append(lines);
        hasWork |= lines.Any(IsWork);
    }

    private void Delete()
    {
        DurableFile.Translate(path, "remove the journal", () =>
        {
            File.Delete(path);
            File.Delete(Path.ChangeExtension(path, LockExtension));
        });
        removed = true;
    }
}
