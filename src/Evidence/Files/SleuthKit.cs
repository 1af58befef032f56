using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;

namespace Evidence.Files;

/// <summary>The Sleuth Kit's tools, run as processes: a file system that breaks them breaks nothing here.</summary>
internal static class SleuthKit
{
    private const int LongestWords = 4096;

    /// <summary>Walks the file systems of a raw image.</summary>
    internal static IEnumerable<ImageFile> Walk(string image, CancellationToken cancellation)
    {
        using var running = new Running("fiwalk", ["-x", "-z", "-g", image], cancellation);
        foreach (ImageFile file in DfxmlReader.Read(running.Output))
        {
            cancellation.ThrowIfCancellationRequested();
            yield return file;
        }

        running.End();
    }

    /// <summary>Has a file's content written, as icat finds it.</summary>
    /// <param name="image">The raw image.</param>
    /// <param name="file">The file.</param>
    /// <param name="take">Takes the content.</param>
    /// <param name="cancellation">Ends the work.</param>
    internal static void Cat(string image, ImageFile file, Action<Stream> take, CancellationToken cancellation)
    {
        // In sectors of 512 bytes, whatever those of the medium are.
        using var running = new Running(
            "icat",
            ["-b", "512", "-o", (file.Volume / 512).ToString(CultureInfo.InvariantCulture), image, file.Inode.ToString(CultureInfo.InvariantCulture)], cancellation);
        take(running.Output);
        running.End();
    }

    private sealed class Running : IDisposable
    {
        private readonly string tool;
        private readonly CancellationToken cancellation;
        private readonly Process process;
        private readonly Task<string> words;
        private readonly CancellationTokenRegistration stopping;

        internal Running(string tool, string[] arguments, CancellationToken cancellation)
        {
            this.tool = tool;
            this.cancellation = cancellation;
            var start = new ProcessStartInfo(tool, arguments)
            {
                UseShellExecute = false,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
                Environment = { ["LC_ALL"] = "C.UTF-8", ["TZ"] = "UTC" },
            };
            try
            {
                process = Process.Start(start)!;
            }
            catch (Win32Exception e)
            {
                throw new EvidenceException(ErrorCode.InputOutput, $"Cannot run {tool} of The Sleuth Kit, which reads file systems here: {e.Message}. Install the package sleuthkit.", e);
            }

            words = ReadWordsAsync(process.StandardError);
            stopping = cancellation.UnsafeRegister(static state => ((Running)state!).Kill(), this);
        }

        internal Stream Output => process.StandardOutput.BaseStream;

        internal void End()
        {
            process.WaitForExit();
            cancellation.ThrowIfCancellationRequested();
            if (process.ExitCode != 0)
                throw new EvidenceException(ErrorCode.FileRefused, $"{tool} of The Sleuth Kit failed: {words.GetAwaiter().GetResult().Trim()}");
        }

        public void Dispose()
        {
            stopping.Dispose();
            Kill();
            process.WaitForExit();
            process.Dispose();
        }

        private static async Task<string> ReadWordsAsync(StreamReader errors)
        {
            var kept = new char[LongestWords];
            int length = await errors.ReadBlockAsync(kept).ConfigureAwait(false);
            var rest = new char[LongestWords];
            while (await errors.ReadAsync(rest).ConfigureAwait(false) > 0)
            {
                // What nobody reads would stop the tool.
            }

            return new string(kept, 0, length);
        }

        private void Kill()
        {
            try
            {
                process.Kill();
            }
            catch (InvalidOperationException)
            {
                // It has ended.
            }
        }
    }
}
