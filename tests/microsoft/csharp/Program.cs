// Calls Microsoft's library as a certification authority would: one command per line of standard input, one answer per line of
// standard output.  A line is a verb and its arguments, separated by tabs; "properties FILE" starts with a new client object.
// The answer is "ok ..." or "no " and the exception's type, Intune's code if there is one, and the message.
using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.IO;
using System.Linq;
using System.Reflection;
using System.Threading.Tasks;
using Microsoft.Intune;
using Microsoft.Management.Services.Api;

static class Program
{
    static Dictionary<string, string> properties;
    static IntuneScepValidator validator;
    static IntuneRevocationClient revocations;

    static int Main()
    {
        for (string line; (line = Console.ReadLine()) != null;)
            Console.WriteLine(Answer(line.Split('\t')));
        return 0;
    }

    static string Answer(string[] words)
    {
        try
        {
            return "ok " + Do(words[0], words.Skip(1).ToArray());
        }
        catch (Exception e)
        {
            while ((e is AggregateException || e is TargetInvocationException) && e.InnerException != null)
                e = e.InnerException;
            string code = e is IntuneScepServiceException s ? s.OriginalErrorCode + " " : "";
            return "no " + e.GetType().Name + " " + code + OneLine(e.Message);
        }
    }

    static string OneLine(string text) => text.Replace("\r", " ").Replace("\n", " ");

    static string Do(string verb, string[] a)
    {
        switch (verb)
        {
        case "properties":
            Open(a[0]);
            return "";
        case "validate":
            validator.ValidateRequestAsync(a[0], File.ReadAllText(a[1])).Wait();
            return "";
        case "success": // transaction, request, thumbprint, serial, expiry, issuer [, CA configuration, CA]
            a[1] = File.ReadAllText(a[1]);
            Call(validator, "SendSuccessNotificationAsync", a).Wait();
            return "";
        case "failure":
            validator.SendFailureNotificationAsync(a[0], File.ReadAllText(a[1]), Convert.ToInt64(a[2], 16), a[3]).Wait();
            return "";
        case "download": // transaction, number: one "context serial" each
            var list = (Task<List<CARevocationRequest>>)Call(revocations, "DownloadCARevocationRequestsAsync", a[0], int.Parse(a[1]));
            return list.Result.Count + string.Concat(list.Result.Select(r => " " + r.RequestContext + " " + r.SerialNumber));
        case "upload": // transaction, context, name of a CARequestErrorCode
            var code = Enum.Parse<CARequestErrorCode>(a[2]);
            bool done = code == CARequestErrorCode.None;
            revocations.UploadCARequestResults(a[0],
                new List<CARevocationResult> { new CARevocationResult(a[1], done, code, done ? null : "told by the driver") }).Wait();
            return "";
        }
        throw new ArgumentException("unknown verb " + verb);
    }

    // Its versions differ in optional arguments at the end: those that we do not give are null.
    static Task Call(object on, string name, params object[] given)
    {
        MethodInfo method = on.GetType().GetMethod(name);
        int n = method.GetParameters().Length;
        return (Task)method.Invoke(on, given.Concat(Enumerable.Repeat<object>(null, n)).Take(n).ToArray());
    }

    // The library's own parts, put together as it does itself; given explicitly because older versions of the revocation client
    // would put together others.
    static void Open(string file)
    {
        properties = File.ReadLines(file).Where(l => l.Contains('=')).ToDictionary(l => l.Split('=', 2)[0], l => l.Split('=', 2)[1]);
        var trace = new TraceSource("driver");
        var msal = new MsalClient(properties, trace);
        var where = new IntuneServiceLocationProvider(properties, msalClient: msal, adalClient: new AdalClient(properties, trace), trace: trace);
        validator = new IntuneScepValidator(properties, trace);
        revocations = new IntuneRevocationClient(properties, trace, new IntuneClient(properties, msal, where, trace: trace));
    }
}
