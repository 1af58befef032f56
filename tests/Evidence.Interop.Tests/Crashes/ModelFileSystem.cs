using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Evidence.Interop.Tests.Crashes;

/// <summary>How much of one step a power cut leaves.</summary>
internal enum Damage
{
    /// <summary>Nothing of it: the name was not given, or not taken; the bytes were not written.</summary>
    Lost,

    /// <summary>Of a rename, the new name is there, and the old one is too.</summary>
    OldNameKept,

    /// <summary>Of a write, the first sector.</summary>
    FirstSector,

    /// <summary>Of a write, the sectors of the first half.</summary>
    FirstHalf,

    /// <summary>Of a write, the sectors of the second half; zeros before them.</summary>
    SecondHalf,

    /// <summary>Of a write, the length: zeros.</summary>
    LengthOnly,
}

/// <summary>
/// What a file system may have after a power cut, from the calls that were made before it. Bytes are durable once their file was flushed, and a name once its
/// folder was; to flush a new file does not make its name durable. Whatever is not may be there or not, in any combination.
/// </summary>
internal sealed class ModelFileSystem
{
    private const int Root = 0;
    private const int Sector = 512;

    private readonly Func<string, bool> isModelled;
    private readonly List<Step> steps = [];
    private readonly Dictionary<(int Folder, string Name), int> live = [];
    private readonly Dictionary<(int Folder, string Name), int> original = [];
    private readonly Dictionary<int, byte[]> originalContent = [];
    private readonly HashSet<int> folders = [Root];
    private readonly Dictionary<string, (byte[] Bytes, string Hash)> contents = new(StringComparer.Ordinal);
    private int inodes = Root;
    private int? acknowledged;

    /// <summary>Begins with what is below a folder, all of it durable.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="isModelled">Which paths below it count, now and in what is added.</param>
    internal ModelFileSystem(string folder, Func<string, bool> isModelled)
    {
        this.isModelled = isModelled;
        foreach (string path in Directory.EnumerateFileSystemEntries(folder, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
        {
            string name = Path.GetRelativePath(folder, path);
            if (!isModelled(name))
                continue;
            int inode = ++inodes;
            if (Directory.Exists(path))
                folders.Add(inode);
            else
                originalContent[inode] = File.ReadAllBytes(path);
            live[Find(name)!.Value] = inode;
        }

        foreach (var entry in live)
            original.Add(entry.Key, entry.Value);
    }

    /// <summary>Whether the command has answered.</summary>
    internal bool IsAcknowledged => acknowledged is not null;

    /// <summary>The number of moments at which the power can be cut: before each step, and after the last.</summary>
    internal int Moments => steps.Count + 1;

    /// <summary>Takes in a call that was made. Calls that neither change nor flush anything are passed over.</summary>
    internal void Add(SystemCall call) => Add(call, isAnswer: true);

    /// <summary>Takes in a call that was made; an answer acknowledges nothing unless it is the command's.</summary>
    internal void Add(SystemCall call, bool isAnswer)
    {
        if (call.Name == SystemCall.Answer)
        {
            if (isAnswer)
                acknowledged ??= steps.Count;
            return;
        }

        if (call.Result is null or < 0 || !isModelled(call.Path))
            return;
        switch (call.Name)
        {
            case "open" when (call.Number & SystemCall.Create) != 0 && InodeOf(call.Path) is null:
                Name(Find(call.Path)!.Value, ++inodes);
                break;
            case "open" when (call.Number & SystemCall.Truncate) != 0:
                steps.Add(new Step(StepKind.Length, InodeOf(call.Path)!.Value));
                break;
            case "mkdir":
                folders.Add(++inodes);
                Name(Find(call.Path)!.Value, inodes);
                break;
            case "unlink" or "rmdir":
                Name(Find(call.Path)!.Value, null);
                break;
            case "rename":
                Rename(Find(call.Path)!.Value, Find(call.Target!)!.Value);
                break;
            case "link":
                Name(Find(call.Target!)!.Value, InodeOf(call.Path)!.Value);
                break;
            case "write" or "pwrite64":
                int file = InodeOf(call.Path)!.Value;
                steps.Add(new Step(StepKind.Write, file) { Offset = call.Offset ?? -1, Data = call.Data[..(int)call.Result.Value] });
                break;
            case "ftruncate":
                steps.Add(new Step(StepKind.Length, InodeOf(call.Path)!.Value) { Offset = call.Number });
                break;
            case "fsync" or "fdatasync":
                steps.Add(new Step(StepKind.Flush, InodeOf(call.Path)!.Value));
                break;
            case "open" or "close" or "flock" or "fchmod" or "chmod" or "fallocate":
                break;
            default:
                throw new NotSupportedException($"The model knows no {call}.");
        }
    }

    /// <summary>What may be damaged when the power is cut at a moment: each step that is not durable by then, in each way.</summary>
    internal IEnumerable<(int Step, Damage Damage)> Uncertain(int moment)
    {
        for (int number = 0; number < moment; number++)
        {
            Step step = steps[number];
            switch (step.Kind)
            {
                case StepKind.Write when !IsFlushed(step.Inode, number, moment):
                    yield return (number, Damage.Lost);
                    yield return (number, Damage.LengthOnly);
                    if (step.Data.Length > Sector)
                    {
                        yield return (number, Damage.FirstSector);
                        yield return (number, Damage.SecondHalf);
                    }

                    if (step.Data.Length > 2 * Sector)
                        yield return (number, Damage.FirstHalf);
                    break;
                case StepKind.Length when !IsFlushed(step.Inode, number, moment):
                    yield return (number, Damage.Lost);
                    break;
                case StepKind.Name when !IsFlushed(step.Folder, number, moment):
                    yield return (number, Damage.Lost);
                    break;
                case StepKind.Rename:
                    if (!IsFlushed(step.NewFolder, number, moment))
                        yield return (number, Damage.Lost);
                    if (!IsFlushed(step.Folder, number, moment))
                        yield return (number, Damage.OldNameKept);
                    break;
            }
        }
    }

    /// <summary>What is there when the power is cut at a moment, with some steps damaged.</summary>
    internal ModelState At(int moment, params IReadOnlyCollection<(int Step, Damage Damage)> damages)
    {
        var names = new Dictionary<(int Folder, string Name), int>(original);
        var damaged = damages.ToDictionary(d => d.Step, d => d.Damage);
        for (int number = 0; number < moment; number++)
        {
            Step step = steps[number];
            Damage? damage = damaged.TryGetValue(number, out Damage found) ? found : null;
            if (damage == Damage.Lost || step.Kind is not (StepKind.Name or StepKind.Rename))
                continue;
            if (step.Kind == StepKind.Name && step.Inode == 0)
                names.Remove((step.Folder, step.Name));
            else if (step.Kind == StepKind.Name)
                names[(step.Folder, step.Name)] = step.Inode;
            if (step.Kind != StepKind.Rename)
                continue;
            if (damage != Damage.OldNameKept)
                names.Remove((step.Folder, step.Name));
            names[(step.NewFolder, step.NewName)] = step.Inode;
        }

        var files = new SortedDictionary<string, (byte[] Bytes, string Hash)?>(StringComparer.Ordinal);
        var below = names.ToLookup(n => n.Key.Folder, n => (n.Key.Name, Inode: n.Value));
        var open = new Stack<(int Folder, string Path)>([(Root, "")]);
        while (open.TryPop(out var folder))
        {
            foreach ((string name, int inode) in below[folder.Folder])
            {
                string path = Path.Combine(folder.Path, name);
                bool isFolder = folders.Contains(inode);
                files[path] = isFolder ? null : ContentOf(inode, moment, damaged);
                if (isFolder)
                    open.Push((inode, path));
            }
        }

        return new ModelState(files, acknowledged is { } at && moment >= at);
    }

    /// <summary>Says in words what was done to which step.</summary>
    internal string Describe(int moment, IEnumerable<(int Step, Damage Damage)> damages) => string.Create(
        CultureInfo.InvariantCulture, $"cut before step {moment} ({(moment < steps.Count ? steps[moment] : "the end")})") +
        string.Concat(damages.Select(d => string.Create(CultureInfo.InvariantCulture, $", {d.Damage}: step {d.Step} ({steps[d.Step]})")));

    private void Name((int Folder, string Name) place, int? inode)
    {
        if (inode is { } given)
            live[place] = given;
        else
            live.Remove(place);
        steps.Add(new Step(StepKind.Name, inode ?? 0) { Folder = place.Folder, Name = place.Name });
    }

    private void Rename((int Folder, string Name) from, (int Folder, string Name) to)
    {
        int inode = live[from];
        live.Remove(from);
        live[to] = inode;
        steps.Add(new Step(StepKind.Rename, inode) { Folder = from.Folder, Name = from.Name, NewFolder = to.Folder, NewName = to.Name });
    }

    private bool IsFlushed(int inode, int after, int before)
    {
        for (int number = after + 1; number < before; number++)
        {
            if (steps[number].Kind == StepKind.Flush && steps[number].Inode == inode)
                return true;
        }

        return false;
    }

    private (byte[] Bytes, string Hash) ContentOf(int inode, int moment, Dictionary<int, Damage> damaged)
    {
        var key = new StringBuilder(inode.ToString(CultureInfo.InvariantCulture));
        var parts = new List<(Step Step, Damage? Damage)>();
        for (int number = 0; number < moment; number++)
        {
            if (steps[number].Inode != inode || steps[number].Kind is not (StepKind.Write or StepKind.Length))
                continue;
            Damage? damage = damaged.TryGetValue(number, out Damage found) ? found : null;
            key.Append(CultureInfo.InvariantCulture, $" {number}{damage}");
            parts.Add((steps[number], damage));
        }

        if (contents.TryGetValue(key.ToString(), out var known))
            return known;
        byte[] bytes = originalContent.GetValueOrDefault(inode, []);
        foreach ((Step step, Damage? damage) in parts)
            bytes = Apply(bytes, step, damage);
        return contents[key.ToString()] = (bytes, Convert.ToHexStringLower(SHA256.HashData(bytes)));
    }

    private static byte[] Apply(byte[] bytes, Step step, Damage? damage)
    {
        if (damage == Damage.Lost)
            return bytes;
        if (step.Kind == StepKind.Length)
        {
            byte[] cut = new byte[step.Offset];
            bytes.AsSpan(0, (int)Math.Min(bytes.Length, step.Offset)).CopyTo(cut);
            return cut;
        }

        int offset = (int)(step.Offset < 0 ? bytes.Length : step.Offset);
        int half = (step.Data.Length / 2 + Sector - 1) / Sector * Sector;
        (int from, int to) = damage switch
        {
            Damage.LengthOnly => (0, 0),
            Damage.FirstSector => (0, Sector),
            Damage.FirstHalf => (0, half),
            Damage.SecondHalf => (half, step.Data.Length),
            _ => (0, step.Data.Length),
        };
        // What is torn off at the end is not in the length either; what is missing before the rest, is.
        int end = damage is Damage.LengthOnly ? step.Data.Length : to;
        byte[] result = new byte[Math.Max(bytes.Length, offset + end)];
        bytes.CopyTo(result, 0);
        step.Data.AsSpan(from, to - from).CopyTo(result.AsSpan(offset + from));
        return result;
    }

    private int? InodeOf(string path) => path.Length == 0 ? Root : Find(path) is { } place && live.TryGetValue(place, out int inode) ? inode : null;

    /// <summary>The folder that a path's last part is in, and that part.</summary>
    private (int Folder, string Name)? Find(string path)
    {
        string[] parts = path.Split('/');
        int folder = Root;
        foreach (string part in parts[..^1])
        {
            if (!live.TryGetValue((folder, part), out folder))
                return null;
        }

        return (folder, parts[^1]);
    }

    private enum StepKind
    {
        Name,
        Rename,
        Write,
        Length,
        Flush,
    }

    /// <summary>One change, or one flush. The inode of a name that is taken away is 0.</summary>
    private sealed record Step(StepKind Kind, int Inode)
    {
        public int Folder { get; init; }

        public string Name { get; init; } = "";

        public int NewFolder { get; init; }

        public string NewName { get; init; } = "";

        public long Offset { get; init; }

        public byte[] Data { get; init; } = [];

        public override string ToString() => string.Create(
            CultureInfo.InvariantCulture,
            $"{Kind} {Name}{(Kind == StepKind.Rename ? $" to {NewName}" : "")} inode {Inode}{(Kind == StepKind.Write ? $", {Data.Length} bytes at {Offset}" : "")}");
    }
}

/// <summary>Files and folders as a power cut left them.</summary>
/// <param name="Files">Content by path; null for a folder.</param>
/// <param name="IsAcknowledged">Whether the command had answered by then.</param>
internal sealed record ModelState(SortedDictionary<string, (byte[] Bytes, string Hash)?> Files, bool IsAcknowledged)
{
    /// <summary>Equal for states that differ in nothing but locks, which are empty and made anew.</summary>
    internal string Key
    {
        get
        {
            using var all = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            foreach ((string path, (byte[] Bytes, string Hash)? content) in Files)
            {
                if (!SystemCall.IsLock(path))
                    all.AppendData(Encoding.UTF8.GetBytes($"{path} {content?.Hash}\n"));
            }

            return Convert.ToHexStringLower(all.GetHashAndReset()) + IsAcknowledged;
        }
    }

    /// <summary>Makes it so in an empty folder.</summary>
    internal void Materialise(string folder)
    {
        foreach ((string path, (byte[] Bytes, string Hash)? content) in Files)
        {
            if (content is { } file)
                File.WriteAllBytes(Path.Combine(folder, path), file.Bytes);
            else
                Directory.CreateDirectory(Path.Combine(folder, path));
        }
    }
}
