using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Evidence.Hashing;
using Evidence.Ledger;
using NodaTime;
using Xunit;

namespace Evidence.Interop.Tests.Reader;

/// <summary>A vault that the command has made, with keys and caches of its own, for the reader in docs/format.</summary>
public sealed class ReaderVault : IDisposable
{
    private const string Python = "/usr/bin/python3";

    private static readonly string Script = Path.Combine(RepositoryFolder(), "docs", "format", "reader.py");

    private readonly DirectoryInfo directory = Directory.CreateTempSubdirectory("evidence-reader-");

    public ReaderVault()
    {
        Directory.CreateDirectory(At("images"));
        foreach ((string item, byte[] content) in Images)
            File.WriteAllBytes(At("images", item), content);
        using (var sparse = new FileStream(At("images", "sparse"), FileMode.CreateNew))
        {
            // A hole of more than a page, and content in the pages before and behind it.
            sparse.SetLength(SparseLength);
            sparse.Position = 3 << 20;
            sparse.Write(Random(70_001));
            sparse.Position = SparseLength - 12_345;
            sparse.Write(Random(12_345));
        }

        if (Lacking() is not null)
            return;
        Evidence("init", "--origin", "reader.example/vault");
        string[] compressions = ["none", "fast", "best"];
        int next = 0;
        foreach (string item in (string[])[.. Images.Keys, "sparse"])
        {
            Evidence(
                "acquire", At("images", item), "--item", item, "--case", "case-1", "--digest", "md5,sha1,sha256,sha512",
                "--compression", compressions[next++ % compressions.Length], "--no-verify");
        }

        // Entries that others left are taken in by the next append: a ledger beyond its first full tile, without 300 runs.
        string staged = Directory.CreateDirectory(Path.Combine(Vault, "ledger", "staging", "entries")).FullName;
        ActorKey actor = ActorKey.Create();
        void Stage(string kind, JsonObject body)
        {
            var payload = new EntryPayload(kind, Instant.FromUtc(2026, 1, 2, 3, 4), null, [], body, actor.Id);
            byte[] entry = LedgerEntry.Create(payload, actor).ToBytes();
            File.WriteAllBytes(Path.Combine(staged, MerkleTree.LeafHash(entry).ToString()), entry);
        }

        Stage(EntryKind.Identity, new ActorIdentity("another", null, actor.PublicKey).ToJson());
        foreach (string letter in (string[])["first", "second"])
        {
            File.WriteAllText(At(letter), letter);
            Evidence("document", "add", At(letter));
            Stage(EntryKind.Note, new JsonObject { ["see"] = new JsonArray(new JsonObject { ["document"] = Sha256Digest.Compute(Encoding.UTF8.GetBytes(letter)).ToString() }) });
        }

        for (int i = 0; i < 300; i++)
            Stage(EntryKind.Note, new JsonObject { ["text"] = i.ToString(CultureInfo.InvariantCulture) });

        Evidence("note", "Zażółć gęślą jaźń \u001b[31m", "--item", "mixed");
        Assert.True(File.Exists(Path.Combine(Vault, "ledger/tile/0/000")));
    }

    /// <summary>The images by item, but for the sparse one, which is the largest by far.</summary>
    public static IReadOnlyDictionary<string, byte[]> Images { get; } = new Dictionary<string, byte[]>(StringComparer.Ordinal)
    {
        ["empty"] = [],
        ["one"] = [7],
        ["under"] = Random(511),
        ["over"] = Random(513),
        ["fill"] = [.. Enumerable.Repeat((byte)0xAA, 1 << 20)],
        ["zero"] = new byte[5000],
        ["mixed"] =
        [
            .. Random(100_000), .. new byte[20_000], .. Enumerable.Repeat("a line of text\n"u8.ToArray(), 5_000).SelectMany(line => line),
            .. Enumerable.Repeat((byte)1, 9_999), .. Random(77),
        ],
        // What the first ones have already: no pack of its own but for its map.
        ["again"] = [.. Random(100_000), .. Random(513)],
    };

    public static int SparseLength => (130 << 20) + 513;

    public string Vault => At("vault");

    public string At(params string[] names) => Path.Combine([directory.FullName, .. names]);

    /// <summary>Skips the test where the reader cannot be run; in CI it must run.</summary>
    public static void Require()
    {
        if (Lacking() is not { } lacking)
            return;
        if (string.Equals(Environment.GetEnvironmentVariable("CI"), "true", StringComparison.Ordinal))
            Assert.Fail(lacking);
        Assert.Skip(lacking);
    }

    /// <summary>Runs the reader.</summary>
    public static (int ExitCode, string Output, string Errors) Read(params string[] arguments) => Run(Python, [Script, .. arguments]);

    public (int ExitCode, string Output, string Errors) Evidence(params string[] arguments)
    {
        var result = Run(
            Path.Combine(AppContext.BaseDirectory, "Evidence.Cli"), ["--quiet", "--vault", Vault, .. arguments],
            ("EVIDENCE_HOME", At("home")), ("XDG_CACHE_HOME", At("cache")));
        Assert.True(result.ExitCode == 0, $"{string.Join(' ', arguments)}: {result.Errors}");
        return result;
    }

    public void Dispose() => directory.Delete(recursive: true);

    private static string? Lacking() =>
        !File.Exists(Python) ? $"There is no {Python}."
        : Run(Python, ["-c", "import brotli"]).ExitCode != 0 ? $"{Python} has no module brotli (Debian: python3-brotli)."
        : null;

    private static (int ExitCode, string Output, string Errors) Run(
        string program, string[] arguments, params (string Name, string Value)[] variables)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardOutputEncoding = Encoding.UTF8,
        };
        foreach ((string name, string value) in variables)
            start.Environment[name] = value;
        using Process process = Process.Start(start)!;
        Task<string> errors = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output, errors.GetAwaiter().GetResult());
    }

    private static byte[] Random(int length)
    {
        var content = new byte[length];
        new Random(length).NextBytes(content);
        return content;
    }

    private static string RepositoryFolder()
    {
        DirectoryInfo folder = new(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "Evidence.sln")))
            folder = folder.Parent ?? throw new DirectoryNotFoundException("The tests are not in their repository.");
        return folder.FullName;
    }
}
