using System.Text.RegularExpressions;

namespace Evidence.Interop.Tests.Crashes;

/// <summary>A system call on a file below the watched folder.</summary>
/// <param name="Name">The call's name; of those that do one thing in several ways, the plainest: <c>mkdirat</c> is <c>mkdir</c>.</param>
/// <param name="Path">The file, below the watched folder.</param>
internal sealed partial record SystemCall(string Name, string Path)
{
    /// <summary>The second path of a rename or a link.</summary>
    public string? Target { get; init; }

    /// <summary>The flags of <c>open</c> and <c>renameat2</c>, the mode of <c>mkdir</c> and <c>chmod</c>, the length of <c>ftruncate</c>.</summary>
    public long Number { get; init; }

    /// <summary>The mode of a file that <c>open</c> creates.</summary>
    public int Mode { get; init; }

    /// <summary>Where a <c>pwrite64</c> writes; null for a <c>write</c>, which goes on at the descriptor's own position.</summary>
    public long? Offset { get; init; }

    /// <summary>What a write writes.</summary>
    public byte[] Data { get; init; } = [];

    /// <summary>The descriptor; of a call that gives one, that one.</summary>
    public int Descriptor { get; init; } = -1;

    /// <summary>What it returned, negative for an error; null while it is under way.</summary>
    public long? Result { get; init; }

    /// <summary>Whether it can change a file or a name, make either durable, or take a lock. A folder that is opened to be listed is not meant.</summary>
    public bool IsWriteSide => Name switch
    {
        "open" => (Number & (WriteOnly | ReadWrite | Create)) != 0 || (Number & (Directory | NonBlocking)) == Directory,
        "close" or Answer => false,
        // The framework's own locks on files that it opens are advisory, and it goes on without them.
        "flock" => IsLock(Path),
        _ => true,
    };

    /// <summary>Whether a file is there to be locked: it is empty, and made anew where it is missing.</summary>
    internal static bool IsLock(string path) => path.EndsWith("/lock", StringComparison.Ordinal) || path.EndsWith(".lock", StringComparison.Ordinal);

    /// <summary>The call that prints the answer in JSON: what was done is acknowledged.</summary>
    internal const string Answer = "answer";

    internal const int WriteOnly = 1;
    internal const int ReadWrite = 2;

    internal const int Create = 0x40;
    internal const int Exclusive = 0x80;
    internal const int Truncate = 0x200;
    internal const int NonBlocking = 0x800;
    internal const int Directory = 0x10000;

    /// <summary>The call and the kind of its file: names that are random, or follow from content, are one kind.</summary>
    public string Site => $"{Name} {Kind(Path)}";

    /// <summary>
    /// Which files are of one kind. A vault that is being made lies beside its place; the log's tiles have its size in their names, and which pack is which
    /// depends on whose turn it was.
    /// </summary>
    private static string Kind(string path) =>
        Numbered().Replace(Random().Replace(path, "*"), "#").Replace("vault.*.tmp", "vault", StringComparison.Ordinal);

    public override string ToString() => Target is null ? $"{Name} {Path}" : $"{Name} {Path} -> {Target}";

    [GeneratedRegex(@"(?<=\.p/)\d+|(?<=tmp/)\d+|(?<=w-\*/)\d+", RegexOptions.CultureInvariant, 1000)]
    private static partial Regex Numbered();

    [GeneratedRegex("[0-9a-f]{8,}|(?<=packs/)[0-9a-f]{2}\\b|(?<=evidence-scratch-)[^/]+", RegexOptions.CultureInvariant, 1000)]
    private static partial Regex Random();
}
