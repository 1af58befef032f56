using System.Diagnostics;
using System.Text.Json;
using Xunit;

namespace Evidence.Interop.Tests.Harness;

/// <summary>The built command, run as a process, with keys, cache and vault of its own in a folder that goes with it.</summary>
internal sealed class EvidenceCommand : IDisposable
{
    private const string Program = "Evidence.Cli";
    private const UnixFileMode ForAll = (UnixFileMode)0b111_101_101;

    private static readonly Lazy<string> Readable = new(CopyForEverybody);

    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("evidence-interop-");

    internal EvidenceCommand()
    {
        // Others may be let in by name, as nobody is.
        File.SetUnixFileMode(folder.FullName, ForAll);
        Vault = PathOf("vault");
        Home = PathOf("home");
        Cache = PathOf("cache");
        Temporary = folder.CreateSubdirectory("temporary").FullName;
    }

    internal string Folder => folder.FullName;

    internal string Vault { get; set; }

    internal string Home { get; set; }

    internal string Cache { get; set; }

    /// <summary>Where the command's own temporary files go.</summary>
    internal string Temporary { get; }

    /// <summary>Whether to run as the user nobody; see <see cref="BecomeNobody"/>.</summary>
    internal bool IsNobody { get; private set; }

    /// <summary>Variables that the command gets besides.</summary>
    internal Dictionary<string, string> Environment { get; } = new(StringComparer.Ordinal);

    internal string PathOf(string name) => Path.Combine(Folder, name);

    /// <summary>Runs the command on the vault, with <c>--json</c>.</summary>
    internal CommandResult Json(params string[] arguments) => Run(["--json", .. arguments]);

    internal CommandResult Run(params string[] arguments)
    {
        using RunningProcess running = Start(arguments);
        return running.Wait();
    }

    /// <summary>Runs a script of bash, in which "$@" is the command.</summary>
    internal CommandResult RunInShell(string script, params string[] arguments)
    {
        Peer.Require("bash");
        ProcessStartInfo start = StartInfo(arguments);
        string[] words = ["-c", script, "bash", start.FileName, .. start.ArgumentList];
        start.FileName = "bash";
        start.ArgumentList.Clear();
        foreach (string word in words)
            start.ArgumentList.Add(word);
        using var running = new RunningProcess(start);
        return running.Wait();
    }

    internal RunningProcess Start(params string[] arguments) => new(StartInfo(arguments));

    internal ProcessStartInfo StartInfo(params string[] arguments)
    {
        string[] command = [Path.Combine(IsNobody ? Readable.Value : AppContext.BaseDirectory, Program), "--vault", Vault, .. arguments];
        if (IsNobody)
            command = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", .. command];
        var start = new ProcessStartInfo(command[0], command[1..]) { WorkingDirectory = Folder };
        foreach ((string name, string value) in Environment)
            start.Environment[name] = value;
        start.Environment["EVIDENCE_HOME"] = Home;
        start.Environment["XDG_CACHE_HOME"] = Cache;
        start.Environment["HOME"] = Folder;
        start.Environment["TMPDIR"] = Temporary;
        start.Environment.Remove("EVIDENCE_VAULT");
        // Otherwise a runtime that is killed leaves its sockets in the folder for temporary files.
        start.Environment["DOTNET_EnableDiagnostics"] = "0";
        return start;
    }

    /// <summary>From here on the command runs as the user nobody, who owns the folder and everything in it so far.</summary>
    internal void BecomeNobody()
    {
        if (!System.Environment.IsPrivilegedProcess)
            return;
        Peer.Require("setpriv", "chown");
        Peer.Run("chown", "--recursive", "65534:65534", Folder);
        IsNobody = true;
    }

    /// <summary>Everything in the vault is good: the content, the maps, the ledger, the digests of the whole.</summary>
    internal void VerifyAll()
    {
        foreach (string[] options in (string[][])[[], ["--digests"], ["--scrub"]])
        {
            JsonElement report = Json(["verify", "--no-record", .. options]).Succeeds().Json;
            Assert.Equal("verified", report.GetProperty("content").GetString());
            Assert.Equal("verified", report.GetProperty("ledger").GetProperty("content").GetString());
            Assert.Equal(0, report.GetProperty("findings").GetArrayLength());
        }
    }

    /// <summary>Nothing but locks is left in staging, and nothing beside the vault or among temporary files.</summary>
    /// <param name="interrupted">Whether there may be runs to go on from.</param>
    internal void LeavesNothingBehind(bool interrupted = false)
    {
        Assert.Empty(Directory.EnumerateFileSystemEntries(Temporary));
        string[] left =
        [
            .. Directory.EnumerateFileSystemEntries(Path.Combine(Vault, "staging"), "*", SearchOption.AllDirectories),
            .. Directory.EnumerateFiles(Path.Combine(Vault, "ledger", "staging"), "*", SearchOption.AllDirectories),
        ];
        string resume = Path.Combine(Vault, "staging", "resume");
        Assert.All(
            left.Where(path => !string.Equals(path, resume, StringComparison.Ordinal) && !(interrupted && path.StartsWith(resume, StringComparison.Ordinal))),
            path => Assert.True(Path.GetFileName(path) is "lock" or "repair.lock", path));
        Assert.DoesNotContain(
            Directory.EnumerateFileSystemEntries(Path.GetDirectoryName(Vault)!), path => path.StartsWith(Vault + ".", StringComparison.Ordinal));
    }

    public void Dispose()
    {
        // Whoever is not root needs the permissions back that a test took away.
        if (!System.Environment.IsPrivilegedProcess)
            _ = Peer.TryRun("chmod", "--recursive", "u+rwX", Folder);
        folder.Delete(recursive: true);
    }

    /// <summary>The command where everybody can run it: the folder that it was built in may be somebody's own.</summary>
    private static string CopyForEverybody()
    {
        string copy = Directory.CreateTempSubdirectory("evidence-interop-program-").FullName;
        AppDomain.CurrentDomain.ProcessExit += (_, _) => Directory.Delete(copy, recursive: true);
        File.SetUnixFileMode(copy, ForAll);
        foreach (string file in Directory.EnumerateFiles(AppContext.BaseDirectory).Where(f => !f.EndsWith(".xml", StringComparison.Ordinal)))
        {
            string target = Path.Combine(copy, Path.GetFileName(file));
            File.Copy(file, target);
            File.SetUnixFileMode(target, ForAll);
        }

        return copy;
    }
}
