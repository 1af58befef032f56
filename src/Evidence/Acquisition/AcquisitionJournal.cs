using System.Diagnostics;
using System.Globalization;
using System.IO.Hashing;
using System.Text;
using System.Text.Json.Nodes;
using Evidence.Canonical;
using Evidence.Hashing;
using Evidence.Platform;
using Evidence.Rescue;
using Evidence.Segments;
using Evidence.Vaults;
using Microsoft.Extensions.Logging;
using Microsoft.Win32.SafeHandles;

namespace Evidence.Acquisition;

/// <summary>
/// How far an acquisition is, durably: what a run that is killed leaves for the next one (<c>docs/format/vault.md</c>). Lines are appended once what they
/// name is durable, each with a checksum; one that was torn ends the journal. Nothing in it is evidence: what it names is proved by its ids.
/// </summary>
internal sealed class AcquisitionJournal : IDisposable
{
    private const int Prefix = 33;
    private const int MostWithoutWork = 1 << 16;
    private const string Extension = ".journal";
    private const string LockExtension = ".lock";

    /// <summary>At most this much reading is lost when a run is killed.</summary>
    internal static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private readonly string path;
    private readonly FileLock held;
    private readonly Lock gate = new();
    private readonly List<(long Offset, long Length, RescueStatus Status, string Reason)> changes = [];
    private readonly SafeFileHandle handle;
    private long length;
    private bool hasWork;
    private bool removed;

    private AcquisitionJournal(string path, FileLock held)
    {
        this.path = path;
        this.held = held;
        try
        {
            handle = DurableFile.Translate(path, "open the journal", () => File.OpenHandle(path, FileMode.OpenOrCreate, FileAccess.ReadWrite));
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
    /// <param name="subject">What is imaged, as what, and how, as far as the image depends on it: <see cref="JournalSubject"/>.</param>
    /// <param name="resume">Whether an earlier run may be gone on with.</param>
    /// <param name="logger">Hears of what is not gone on with.</param>
    internal static AcquisitionJournal Open(VaultLayout layout, JsonObject subject, bool resume, ILogger logger)
    {
        DurableFile.CreateDirectory(layout.Resume);
        string key = JournalSubject.KeyOf(subject);
        // One at a time between looking at a journal and taking it.
        using FileLock door = FileLock.Acquire(DoorOf(layout.Resume), CancellationToken.None);
        RemoveEmpty(layout.Resume, logger);
        foreach (int number in NumbersOf(layout.Resume, key).Union(Enumerable.Range(0, int.MaxValue)))
        {
            string name = Path.Combine(layout.Resume, string.Create(null, $"{key}-{number}"));
            // Another process images the same source as the same item at this very moment.
            if (FileLock.TryAcquire(name + LockExtension) is not { } taken)
                continue;
            var journal = new AcquisitionJournal(name + Extension, taken);
            try
            {
                journal.Load(subject, resume, logger);
                return journal;
            }
            catch
            {
                // The door is held: an empty journal is for the next run to remove.
                journal.Release();
                throw;
            }
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

    /// <summary>Keeps pages of the map, by now durable, in the order of their numbers.</summary>
    internal void Keep(IReadOnlyList<(long Number, Sha256Digest Id)> pages) =>
        Append([.. pages.Select(p => new JsonObject { ["page"] = DecimalText.Format(p.Number), ["id"] = p.Id.ToString() }), .. TakeChanges()]);

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
        handle.Dispose();
        held.Dispose();
    }

    /// <summary>Removes the journals of dead runs that kept nothing.</summary>
    private static void RemoveEmpty(string folder, ILogger logger)
    {
        foreach (string found in Directory.EnumerateFiles(folder, $"*{Extension}"))
        {
            if (VaultFiles.IsNoFile(found) || new FileInfo(found).Length > MostWithoutWork || FileLock.TryAcquire(Path.ChangeExtension(found, LockExtension)) is not { } dead)
                continue;
            var journal = new AcquisitionJournal(found, dead);
            try
            {
                if (journal.ReadLines().Skip(1).Any(IsWork))
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
    private static bool IsWork(JsonObject line) => !line.ContainsKey("run");

    private static string DoorOf(string folder) => Path.Combine(folder, "lock");

    private void Load(JsonObject subject, bool resume, ILogger logger)
    {
        List<JsonObject> lines = ReadLines();
        string own = Text(subject);
        if (lines.Count > 0 && (!resume || !string.Equals(Text(lines[0]), own, StringComparison.Ordinal)))
        {
            Log.NotResumed(logger, path, resume ? "the source, or how it is to be imaged, is not what it was" : "a new beginning was asked for");
            lines = [];
        }

        if (lines.Count == 0)
        {
            length = 0;
            DurableFile.Translate(path, "empty the journal", () => RandomAccess.SetLength(handle, 0));
            Append([subject]);
            DurableFile.SyncDirectory(Path.GetDirectoryName(path)!);
            return;
        }

        // What a torn write left behind the last whole line goes.
        DurableFile.Translate(path, "cut the journal", () => RandomAccess.SetLength(handle, length));
        foreach (JsonObject line in lines.Skip(1))
        {
            Take(line);
            hasWork |= IsWork(line);
        }
    }

    private void Take(JsonObject line)
    {
        if (line.ContainsKey("page"))
            Pages[line.RequireDecimal("page")] = Sha256Digest.Parse(line.RequireDigest("id"));
        else if (line.ContainsKey("piece"))
            Pieces.Add(new MapRun(line.RequireDecimal("piece"), line.RequireDecimal("length"), RunKind.Data, 0, Sha256Digest.Parse(line.RequireDigest("id"))));
        else if (line.ContainsKey("failed"))
            Statuses.Add((line.RequireDecimal("failed"), line.RequireDecimal("length"), (RescueStatus)line.RequireString("status")[0], line.RequireString("reason")));
        else if (line.ContainsKey("run"))
            Runs.Add(new AcquisitionRun(line.RequireObject("run").RequireInstant("started"), line.RequireObject("run").RequireDecimal("held")));
        else
            (Image, ImageVerified) = (Sha256Digest.Parse(line.RequireDigest("image")), line["verified"]!.GetValue<bool>());
    }

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
        if (lines.Count == 0)
            return;
        byte[] bytes = Encoding.UTF8.GetBytes(string.Concat(lines.Select(l => Text(l) is var text ? $"{PrefixOf(Encoding.UTF8.GetBytes(text))}{text}\n" : "")));
        DurableFile.Translate(path, "write the journal", () => RandomAccess.Write(handle, bytes, length));
        DurableFile.Sync(handle, path);
        length += bytes.Length;
        hasWork |= lines.Any(l => !l.ContainsKey("format") && IsWork(l));
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

    private List<JsonObject> ReadLines()
    {
        var lines = new List<JsonObject>();
        var bytes = new byte[RandomAccess.GetLength(handle)];
        int read = DurableFile.Translate(path, "read the journal", () => RandomAccess.Read(handle, bytes, 0));
        length = 0;
        while (length < read)
        {
            int end = bytes.AsSpan((int)length, read - (int)length).IndexOf((byte)'\n');
            if (end < Prefix)
                break;
            ReadOnlySpan<byte> line = bytes.AsSpan((int)length, end);
            ReadOnlySpan<byte> text = line[Prefix..];
            // What a torn write left can be any bytes.
            if (!line[..Prefix].SequenceEqual(Encoding.ASCII.GetBytes(PrefixOf(text))))
                break;
            lines.Add((JsonObject)JsonNode.Parse(text)!);
            length += end + 1;
        }

        return lines;
    }

    private static string Text(JsonObject json) => Encoding.UTF8.GetString(CanonicalJson.Serialize(json));

    /// <summary>The checksum that stands before a line's text, and the space behind it.</summary>
    private static string PrefixOf(ReadOnlySpan<byte> text) => Convert.ToHexStringLower(XxHash128.Hash(text)) + ' ';
}
